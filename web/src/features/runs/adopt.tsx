/** What adopting a run changes, old beside new, and the adopting itself (采用率定结果). */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Form, Table, Tag } from "antd";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { quantity } from "../../lib/format.ts";
import type { RunAdoption, RunDetail } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { Failed, Loading } from "../../ui/states.tsx";
import { adoptionQuery, adoptRun } from "./queries.ts";

export function AdoptDialog({ run, onClose }: { run: RunDetail; onClose: () => void }) {
  const { t } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const found = useQuery(adoptionQuery(run.id));
  const [form] = Form.useForm<object>();
  useFocusBack();
  const perform = async () => {
    if (!found.data) return;
    try {
      const { refused } = await adoptRun(run.id, found.data.seen);
      const names = refused.map((one) => one.place).join(", ");
      if (names) message.warning(t("run.adopted-in-part", { names }), 6);
      else message.success(t("run.adopted"));
    } finally {
      // Whatever happened, what was shown is old now.
      void queryClient.invalidateQueries({ queryKey: ["run", "adoption", run.id] });
    }
    void queryClient.invalidateQueries({ queryKey: ["entity"] });
    onClose();
  };
  const content = () => {
    if (found.error) return <Failed error={found.error} retry={() => void found.refetch()} />;
    if (!found.data) return <Loading />;
    return <Changes adoption={found.data} />;
  };
  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={t("run.adopt-confirm")}
      okText={t("run.adopt")}
      submitId="run-adopt-submit"
    >
      {content()}
    </FormDialog>
  );
}

function Changes({ adoption }: { adoption: RunAdoption }) {
  const { t, p } = useT();
  const kind = p(adoption.type_title_zh, adoption.type_title_en);
  return (
    <>
      <p>
        {kind}{" "}
        {adoption.is_new ? (
          <>
            <code>{adoption.entity_id}</code> <Tag color="blue">{t("run.adopt-new")}</Tag>
          </>
        ) : (
          <Link to={`/entities/${encodeURIComponent(adoption.entity_id)}`}>
            {adoption.entity_name || adoption.entity_id}
          </Link>
        )}
      </p>
      {!adoption.is_allowed && <Alert type="info" showIcon title={t("run.adopt-not-yours")} />}
      <Table
        size="small"
        rowKey="attribute"
        dataSource={adoption.attributes}
        pagination={false}
        className="tabular"
        columns={[
          { title: t("run.adopt-attribute"), render: (_, one) => p(one.title_zh, one.title_en) },
          { title: t("run.adopt-old"), render: (_, one) => quantity(one.old, one.old_unit), align: "right" },
          {
            title: t("run.adopt-value"),
            align: "right",
            render: (_, one) => <strong>{quantity(one.new, one.unit)}</strong>,
          },
        ]}
      />
    </>
  );
}
