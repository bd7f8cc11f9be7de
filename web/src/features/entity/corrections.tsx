/** Corrections of an entity's observations: the old value, the new one, who, when and why; and asking for one. */
import { EditOutlined, FileSearchOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Card, Form, Input, InputNumber, Segmented, Tag } from "antd";
import { useT } from "../../i18n/index.tsx";
import { type Action, ActionBar } from "../../lib/actions.tsx";
import { attributeText, quantity, time, unitSymbol, ZONE_LABEL } from "../../lib/format.ts";
import type { Correction, EntityKind, Items } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { Time } from "../../ui/tags.tsx";
import { correct, correctionsQuery, type Reading } from "./queries.ts";

/** Longest reason that the server takes, characters. */
const REASON_CHARS_MAX = 2_000;

interface CorrectContext {
  correct: () => void;
}

const readingActions: Action<CorrectContext>[] = [
  {
    name: "observation.correct",
    title: "correction.correct",
    permission: "data.correct",
    icon: <EditOutlined />,
    predicate: () => true,
    perform: ({ correct }) => correct(),
  },
];

/** What can be done with the reading whose message is shown. */
export function ReadingActions({ correct }: CorrectContext) {
  return <ActionBar actions={readingActions} context={{ correct }} size="small" />;
}

/** All corrections of the entity; nothing while there are none. */
export function CorrectionsCard({
  entityId,
  kind,
  onPosition,
}: {
  entityId: string;
  kind: EntityKind | undefined;
  onPosition: (position: number) => void;
}) {
  const { t, p, language } = useT();
  const found = useQuery(correctionsQuery(entityId)).data?.items ?? [];
  if (found.length === 0) return null;
  return (
    <Card size="small" title={t("correction.title")} data-testid="corrections">
      <ul className="plain-list entity-corrections">
        {found.map((one) => {
          const declared = kind?.attributes[one.attribute];
          return (
            <li key={one.position}>
              <strong>{declared ? p(declared.title_zh, declared.title_en) : one.attribute}</strong>{" "}
              <span className="quiet">
                {time(one.observed_at)} {ZONE_LABEL}
              </span>
              <div>
                <del>{attributeText(language, one.old_value, one.old_unit, declared?.words)}</del> →{" "}
                {one.new_value === null ? (
                  <Tag color="default">{t("correction.withdrawn")}</Tag>
                ) : (
                  <strong>{attributeText(language, one.new_value, one.unit, declared?.words)}</strong>
                )}
              </div>
              <div>{one.reason}</div>
              <div className="quiet">
                {one.corrected_by} · <Time at={one.corrected_at} age />
                <Button
                  size="small"
                  type="link"
                  icon={<FileSearchOutlined />}
                  onClick={() => onPosition(one.supersedes)}
                >
                  {t("correction.old-message")}
                </Button>
              </div>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

interface Entered {
  what: "value" | "withdraw";
  value?: number | string | null;
  reason: string;
}

/** Asks for the value that holds and the reason; a value that is no number and no text can only be withdrawn. */
export function CorrectionDialog({
  entityId,
  reading,
  title,
  onClose,
}: {
  entityId: string;
  reading: Reading;
  title: string;
  onClose: () => void;
}) {
  const { t } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [form] = Form.useForm<Entered>();
  const isNumber = typeof reading.value === "number";
  const isPlain = isNumber || typeof reading.value === "string";
  const what = Form.useWatch("what", form) ?? (isPlain ? "value" : "withdraw");
  const perform = async (entered: Entered) => {
    const done = await correct({
      entity_id: entityId,
      attribute: reading.attribute,
      observed_at: reading.observed_at,
      position: reading.position,
      value: what === "withdraw" ? null : entered.value,
      reason: entered.reason.trim(),
    });
    const { queryKey } = correctionsQuery(entityId);
    queryClient.setQueryData<Items<Correction>>(queryKey, (known) => ({
      next: known?.next ?? null,
      items: [done, ...(known?.items ?? [])],
    }));
    void queryClient.invalidateQueries({ queryKey: ["history", entityId] });
    void queryClient.invalidateQueries({ queryKey: ["entity", entityId] });
    message.success(t("correction.saved"));
    onClose();
  };
  useFocusBack();
  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={`${t("correction.correct")} · ${title}`}
      okText={t("correction.save")}
      submitId="correction-submit"
      initialValues={{ what }}
      intro={
        <>
          <p>
            {time(reading.observed_at)} {ZONE_LABEL} ·{" "}
            <strong>{quantity(reading.value, reading.unit)}</strong>
          </p>
          <p className="quiet">{t("correction.rule")}</p>
        </>
      }
    >
      <Form.Item name="what" label={t("correction.what")}>
        <Segmented
          options={[
            { value: "value", label: t("correction.other-value"), disabled: !isPlain },
            { value: "withdraw", label: t("correction.withdraw") },
          ]}
        />
      </Form.Item>
      {what === "value" && (
        <Form.Item
          name="value"
          label={t("correction.value")}
          rules={[{ required: true, message: t("correction.value-missing") }]}
        >
          {isNumber ? <InputNumber style={{ width: "100%" }} suffix={unitSymbol(reading.unit)} /> : <Input />}
        </Form.Item>
      )}
      <Form.Item
        name="reason"
        label={t("correction.reason")}
        rules={[{ required: true, whitespace: true, message: t("correction.reason-missing") }]}
      >
        <Input.TextArea rows={2} maxLength={REASON_CHARS_MAX} />
      </Form.Item>
    </FormDialog>
  );
}
