/** Hand over the work of a person who leaves: say how, look at what would move, then do it. */
import { Alert, App, Checkbox, Form, Input, Modal, Radio, Select, Table } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { can, useUser } from "../../lib/session.ts";
import type { HandOverDraft, HandOverReport, OrganisationUnit, PersonDetail } from "../../lib/types.ts";
import { useFocusBack } from "../../ui/keyboard.ts";
import { errorText } from "../../ui/states.tsx";
import { useTellAsked } from "../approvals/waiting.tsx";
import { useUnitName, useUnitOptions } from "./dialogs.tsx";
import { PersonSelect } from "./person-select.tsx";
import { handOver, previewHandOver } from "./queries.ts";
import { roleOptions } from "./roles.ts";

interface Entered {
  how: "close" | "move";
  move_to?: string;
  move_role?: string;
  to?: number;
  across?: boolean;
  give_posts?: string[];
  note?: string;
}

export function HandOverDialog({
  person,
  units,
  changed,
  onClose,
}: {
  person: PersonDetail;
  units: OrganisationUnit[];
  changed: () => void;
  onClose: () => void;
}) {
  const { t, p } = useT();
  const { message } = App.useApp();
  const tellAsked = useTellAsked();
  const grants = can(useUser(), "role.grant");
  const [form] = Form.useForm<Entered>();
  const [report, setReport] = useState<HandOverReport | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const options = useUnitOptions(units.filter((unit) => unit.id !== person.organisation));
  const how = Form.useWatch("how", form);
  const across = Form.useWatch("across", form);
  const role = Form.useWatch("move_role", form);
  const given = Form.useWatch("give_posts", form);
  // A post or a role is the security administrator's to give.
  const asks = !grants && ((how === "move" && !!role) || !!given?.length);
  useFocusBack();
  // What was looked at is what is done: after a change it is looked at again.
  const edited = () => {
    setReport(null);
    setError(null);
  };
  const run = async () => {
    const entered = await form.validateFields().catch(() => null);
    if (!entered) return;
    const moves = entered.how === "move";
    const draft: HandOverDraft = {
      to: entered.to,
      move_to: moves ? entered.move_to : undefined,
      move_role: moves ? entered.move_role : undefined,
      across: entered.across ?? false,
      give_posts: entered.to ? (entered.give_posts ?? []) : [],
      note: entered.note ?? "",
    };
    setBusy(true);
    setError(null);
    try {
      if (report) {
        const answer = await handOver(person.id, draft);
        if (!tellAsked(answer)) message.success(t("handover.done", { name: person.name }));
        changed();
        onClose();
      } else {
        setReport(await previewHandOver(person.id, draft));
      }
    } catch (failure) {
      setReport(null);
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      open
      width={760}
      onCancel={onClose}
      onOk={run}
      confirmLoading={busy}
      title={t("handover.title", { name: person.name })}
      okText={t(report ? "handover.do" : "handover.look")}
      okButtonProps={{ danger: report !== null, "data-testid": "handover-submit" }}
    >
      <Form
        form={form}
        layout="vertical"
        disabled={busy}
        onValuesChange={edited}
        initialValues={{ how: "close", give_posts: [] }}
      >
        <Form.Item name="how" label={t("handover.how")}>
          <Radio.Group
            options={[
              { value: "close", label: t("handover.close") },
              { value: "move", label: t("handover.move") },
            ]}
          />
        </Form.Item>
        {how === "move" && (
          <div className="organisation-pair">
            <Form.Item
              name="move_to"
              label={t("handover.move-to")}
              rules={[{ required: true, message: t("handover.move-to-missing") }]}
            >
              <Select showSearch={{ optionFilterProp: "label" }} options={options} />
            </Form.Item>
            <Form.Item name="move_role" label={`${t("handover.move-role")} (${t("word.optional")})`}>
              <Select allowClear options={roleOptions(t, "person")} />
            </Form.Item>
          </div>
        )}
        <Form.Item name="to" label={t("handover.to")} extra={t("handover.to-hint")}>
          <PersonSelect
            without={person.id}
            organisation={across ? undefined : (person.organisation ?? undefined)}
          />
        </Form.Item>
        <Form.Item name="across" valuePropName="checked">
          <Checkbox>{t("handover.across")}</Checkbox>
        </Form.Item>
        {person.posts.length > 0 && (
          <Form.Item name="give_posts" label={t("handover.posts")} extra={t("handover.posts-hint")}>
            <Checkbox.Group
              options={person.posts.map((post) => ({
                value: post.id,
                label: p(post.title_zh, post.title_en),
              }))}
            />
          </Form.Item>
        )}
        <Form.Item name="note" label={`${t("word.note")} (${t("word.optional")})`}>
          <Input.TextArea rows={2} maxLength={2000} />
        </Form.Item>
      </Form>
      {error !== null && (
        <Alert type="error" showIcon title={t("handover.refused")} description={errorText(error, t)} />
      )}
      {report && asks && (
        <Alert type="warning" showIcon title={t("handover.needs-approval")} style={{ marginBottom: 16 }} />
      )}
      {report && <Preview report={report} />}
    </Modal>
  );
}

interface Moved {
  key: string;
  what: string;
  name: string;
  to: string;
}

function Preview({ report }: { report: HandOverReport }) {
  const { t, p } = useT();
  const unitName = useUnitName();
  const to = report.to_name ?? "—";
  const rows: Moved[] = [
    ...report.cases.map((one) => ({
      key: `case ${one.id}`,
      what: t("handover.case"),
      name: `${one.number} ${one.title}`,
      to,
    })),
    ...report.posts.map((post) => ({
      key: `post ${post.id}`,
      what: t("handover.post"),
      name: `${unitName(post.organisation)} / ${p(post.title_zh, post.title_en)}`,
      to: post.is_given ? to : t("handover.ends"),
    })),
  ];
  return (
    <section data-testid="handover-preview" className="stack">
      <Alert
        type="warning"
        showIcon
        title={t(report.closes ? "handover.closes" : "handover.moves", { name: report.from_name })}
        description={t("handover.counts", {
          cases: report.cases.length,
          posts: report.posts.length,
          sessions: report.sessions,
          sign_ins: report.sign_ins,
          turns: report.turns,
        })}
      />
      {rows.length > 0 && (
        <Table<Moved>
          size="small"
          rowKey="key"
          pagination={false}
          scroll={{ y: 240 }}
          dataSource={rows}
          columns={[
            { title: t("word.type"), dataIndex: "what", width: 80 },
            { title: t("word.name"), dataIndex: "name" },
            { title: t("handover.goes-to"), dataIndex: "to", width: 150 },
          ]}
        />
      )}
    </section>
  );
}
