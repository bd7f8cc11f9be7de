/** Dialogs of reported figures: report one or change a draft, correct an approved one, decide, lock a period, lift a lock. */
import { useQueryClient } from "@tanstack/react-query";
import { App, Checkbox, Form, Input, InputNumber } from "antd";
import { useRef, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { number } from "../../lib/format.ts";
import type { IndicatorFiling, IndicatorFilingFile, IndicatorLock } from "../../lib/types.ts";
import { uuid } from "../../lib/uuid.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { errorText } from "../../ui/states.tsx";
import { EvidenceField, EvidenceFiles } from "./evidence.tsx";
import { addFile, type Decision, decide, edit, lift, lock, removeFile, report, submit } from "./queries.ts";

const TEXT_CHARS_MAX = 2_000;
const PERIOD = /^\d{4}(-?[Qq][1-4]|-(0[1-9]|1[0-2]))?$/;

/** What a figure is of. */
export interface Reported {
  id: string;
  name_zh: string;
  name_en: string;
  unit_zh: string;
  unit_en: string;
}

interface Entered {
  value: number;
  period: string;
  evidence?: string;
  note?: string;
  reason?: string;
  draft?: boolean;
}

/** Reports a figure; with `filing` changes it, with `corrects` corrects that one. */
export function ReportDialog({
  of,
  period,
  filing,
  corrects,
  onClose,
}: {
  of: Reported;
  period?: string;
  filing?: IndicatorFiling;
  corrects?: IndicatorFiling;
  onClose: () => void;
}) {
  const { t, p } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [form] = Form.useForm<Entered>();
  // One for the whole dialog: what is sent again after a lost answer is done once.
  const requestId = useRef(uuid());
  // A figure with files begins as a draft, to which they are added; what is sent again after a failure goes on with that draft.
  const [begun, setBegun] = useState<IndicatorFiling | null>(filing ?? null);
  const [kept, setKept] = useState<IndicatorFilingFile[]>(filing?.files ?? []);
  const [pending, setPending] = useState<File[]>([]);
  const isDraft = Form.useWatch("draft", form) ?? false;
  const isCorrection = corrects !== undefined || (filing?.corrects ?? null) !== null;
  const required = { required: true, whitespace: true, message: t("plan.report-missing") };
  const refresh = () => void queryClient.invalidateQueries({ queryKey: ["plan"] });
  const sendFiles = async (to: IndicatorFiling) => {
    for (const file of pending) {
      const added = await addFile(to.id, file);
      setKept((before) => [...before.filter(({ id }) => id !== added.id), added]);
      setPending((before) => before.filter((one) => one !== file));
    }
  };
  const remove = async (file: IndicatorFilingFile) => {
    if (!begun) return;
    try {
      await removeFile(begun.id, file.id);
      setKept((before) => before.filter(({ id }) => id !== file.id));
      refresh();
    } catch (error) {
      message.error(errorText(error, t));
    }
  };
  const perform = async ({ value, evidence, note, reason, ...entered }: Entered) => {
    const texts = { value, evidence: evidence ?? "", note, reason };
    const isDone = begun === null && pending.length === 0 && !entered.draft;
    try {
      const known =
        begun ??
        (await report(of.id, {
          ...texts,
          period: entered.period.trim(),
          draft: !isDone,
          corrects: corrects?.id,
          request_id: requestId.current,
        }));
      setBegun(known);
      if (begun) await edit(begun, texts);
      await sendFiles(known);
      const isHandedIn = filing === undefined && !entered.draft;
      if (isHandedIn && !isDone) await submit(known);
      message.success(t(isHandedIn ? "reports.done-submit" : "reports.done-save"));
    } finally {
      refresh();
    }
    onClose();
  };
  useFocusBack();
  const unit = p(of.unit_zh, of.unit_en);
  const old = corrects?.value ?? filing?.old_value;
  const isPercent = of.unit_zh === "%";
  return (
    <FormDialog<Entered>
      form={form}
      perform={perform}
      onClose={onClose}
      title={`${t(isCorrection ? "reports.correct" : "plan.report")} · ${p(of.name_zh, of.name_en)}`}
      okText={t("plan.report-save")}
      submitId="report-submit"
      initialValues={{
        period: corrects?.period ?? filing?.period ?? period,
        value: filing?.value,
        evidence: filing?.evidence,
        note: filing?.note ?? undefined,
        reason: filing?.reason ?? undefined,
      }}
      intro={
        <p className="quiet">
          {isCorrection && old !== null && old !== undefined
            ? t("reports.correct-rule", { value: `${number(old)} ${unit}`.trim() })
            : t("reports.rule")}
        </p>
      }
    >
      <Form.Item
        name="value"
        label={t("plan.report-value")}
        rules={[
          { required: true, message: t("plan.report-missing") },
          ...(isPercent
            ? [{ type: "number" as const, min: 0, max: 100, message: t("reports.percent") }]
            : []),
        ]}
      >
        <InputNumber autoFocus style={{ width: "100%" }} suffix={unit} />
      </Form.Item>
      <Form.Item
        name="period"
        label={t("reports.period")}
        rules={[
          required,
          { pattern: PERIOD, transform: (text: string) => text?.trim(), message: t("reports.period-odd") },
        ]}
      >
        <Input maxLength={10} disabled={isCorrection || begun !== null} />
      </Form.Item>
      <Form.Item
        name="evidence"
        label={t("plan.report-evidence")}
        rules={isDraft || filing || pending.length + kept.length > 0 ? [] : [required]}
      >
        <Input.TextArea rows={2} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
      <EvidenceField
        kept={kept}
        pending={pending}
        onPending={setPending}
        onRemove={(file) => void remove(file)}
      />
      {isCorrection && (
        <Form.Item name="reason" label={t("reports.reason")} rules={isDraft || filing ? [] : [required]}>
          <Input.TextArea rows={2} maxLength={TEXT_CHARS_MAX} />
        </Form.Item>
      )}
      <Form.Item name="note" label={`${t("plan.report-note")} (${t("word.optional")})`}>
        <Input.TextArea rows={2} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
      {!filing && (
        <Form.Item name="draft" valuePropName="checked" noStyle>
          <Checkbox>{t("reports.draft")}</Checkbox>
        </Form.Item>
      )}
    </FormDialog>
  );
}

/** Says yes, no or never mind to a figure; a no has its reason. */
export function DecisionDialog({
  filing,
  decision,
  onClose,
}: {
  filing: IndicatorFiling;
  decision: Decision;
  onClose: () => void;
}) {
  const { t, p } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [form] = Form.useForm<{ note?: string }>();
  const isReturn = decision === "return";
  const perform = async ({ note }: { note?: string }) => {
    await decide(filing, decision, note?.trim() ?? "");
    message.success(t(`reports.done-${decision}`));
    void queryClient.invalidateQueries({ queryKey: ["plan"] });
    onClose();
  };
  useFocusBack();
  const unit = p(filing.unit_zh, filing.unit_en);
  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={`${t(`reports.${decision}`)} · ${p(filing.name_zh, filing.name_en)}`}
      okText={t(`reports.${decision}`)}
      submitId="decision-submit"
      danger={isReturn}
      intro={
        <div className="decision-intro">
          {filing.period}：{filing.old_value !== null && <s>{number(filing.old_value)}</s>}{" "}
          <strong>
            {number(filing.value)} {unit}
          </strong>{" "}
          <span className="quiet">{filing.evidence}</span>
          <EvidenceFiles report={filing.id} files={filing.files} />
        </div>
      }
    >
      <Form.Item
        name="note"
        label={isReturn ? t("reports.note-why") : `${t("reports.note")} (${t("word.optional")})`}
        rules={isReturn ? [{ required: true, whitespace: true, message: t("plan.report-missing") }] : []}
      >
        <Input.TextArea autoFocus rows={3} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
    </FormDialog>
  );
}

/** Locks a period, with a reason. */
export function LockDialog({ period, onClose }: { period?: string; onClose: () => void }) {
  const { t } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [form] = Form.useForm<{ period: string; reason: string }>();
  const required = { required: true, whitespace: true, message: t("plan.report-missing") };
  const perform = async (entered: { period: string; reason: string }) => {
    const made = await lock(entered.period.trim(), entered.reason.trim());
    message.success(t("reports.lock-done", { period: made.period }));
    void queryClient.invalidateQueries({ queryKey: ["plan"] });
    onClose();
  };
  useFocusBack();
  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={t("reports.lock")}
      okText={t("reports.lock")}
      submitId="lock-submit"
      initialValues={{ period }}
      intro={<p className="quiet">{t("reports.lock-rule")}</p>}
    >
      <Form.Item
        name="period"
        label={t("reports.period")}
        rules={[
          required,
          { pattern: PERIOD, transform: (text: string) => text?.trim(), message: t("reports.period-odd") },
        ]}
      >
        <Input maxLength={10} />
      </Form.Item>
      <Form.Item name="reason" label={t("reports.note-why")} rules={[required]}>
        <Input.TextArea rows={2} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
    </FormDialog>
  );
}

/** Lifts the lock of a period, with a reason. */
export function LiftDialog({ held, onClose }: { held: IndicatorLock; onClose: () => void }) {
  const { t } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [form] = Form.useForm<{ reason: string }>();
  const perform = async ({ reason }: { reason: string }) => {
    await lift(held.id, reason.trim());
    message.success(t("reports.lift-done", { period: held.period }));
    void queryClient.invalidateQueries({ queryKey: ["plan"] });
    onClose();
  };
  useFocusBack();
  return (
    <FormDialog
      form={form}
      perform={perform}
      onClose={onClose}
      title={`${t("reports.lift")} · ${held.period}`}
      okText={t("reports.lift")}
      submitId="lift-submit"
      danger
    >
      <Form.Item
        name="reason"
        label={t("reports.note-why")}
        rules={[{ required: true, whitespace: true, message: t("plan.report-missing") }]}
      >
        <Input.TextArea autoFocus rows={2} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
    </FormDialog>
  );
}
