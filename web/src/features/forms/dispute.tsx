/** A filled-in value that a town holds wrong (异议): what it states instead, where its case stands, and what the town can do. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Form, Input, InputNumber, Radio, Tag } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { type Translate, useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar } from "../../lib/actions.tsx";
import { number, time } from "../../lib/format.ts";
import { can, useUser } from "../../lib/session.ts";
import type { FormDispute, FormField } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { useFocusBack } from "../../ui/keyboard.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { type DisputeContext, disputeActions } from "./actions.tsx";
import {
  type DisputeStep,
  dispute,
  disputesQuery,
  formPath,
  type Place,
  settle,
  type Values,
} from "./queries.ts";

/** Longest reason, in characters; the server's own. */
const TEXT_CHARS_MAX = 500;

/** A value as people read it. */
export function worded(value: unknown, t: Translate): string | null {
  if (typeof value === "number") return number(value);
  if (typeof value === "boolean") return t(value ? "fill.yes" : "fill.no");
  return typeof value === "string" && value !== "" ? value : null;
}

/** Both values and where the case stands. */
function Note({ found }: { found: FormDispute }) {
  const { t, p } = useT();
  const user = useUser();
  const unit = p(found.unit_zh, found.unit_en);
  const value = (one: unknown) => {
    const words = worded(one, t);
    return words === null ? t("fill.unknown") : `${words} ${unit}`.trim();
  };
  const state = keyOf("fill-dispute", found.state);
  return (
    <div className="fill-dispute" data-testid={`dispute-${found.element}`}>
      <Tag color={found.is_open ? "warning" : "default"}>{state ? t(state) : found.state}</Tag>
      {t("fill.dispute-values", { shown: value(found.shown), stated: value(found.stated) })}
      <div className="quiet">
        {found.by} · {time(found.at)} · {found.why}
      </div>
      <div className="quiet">
        {can(user, "case.read") ? <Link to={`/cases/${found.case_id}`}>{found.number}</Link> : found.number} ·{" "}
        {p(found.organisation.name_zh, found.organisation.name_en)}
        {found.is_open && found.due_at && ` · ${t("fill.by", { day: time(found.due_at) })}`}
      </div>
      {found.answer && <div>{t("fill.dispute-answer", { answer: found.answer })}</div>}
    </div>
  );
}

/** What is said of a filled-in value, and what the reader can do. */
export function Dispute({ field, place }: { field: FormField; place: Place }) {
  const queryClient = useQueryClient();
  const [opening, setOpening] = useState(false);
  const [step, setStep] = useState<DisputeStep | null>(null);
  const found = field.dispute;
  const again = () => void queryClient.invalidateQueries({ queryKey: ["forms"] });
  const take = async (next: DisputeStep, note: string) => {
    if (!found) return;
    await settle(found.case_id, next, note);
    setStep(null);
    again();
  };
  const context: DisputeContext = {
    field,
    dispute: found,
    open: () => setOpening(true),
    accept: () => take("accept", ""),
    ask: setStep,
  };
  return (
    <>
      {found && <Note found={found} />}
      <ActionBar actions={disputeActions} context={context} />
      {opening && (
        <OpenDialog
          field={field}
          onClose={() => setOpening(false)}
          perform={async (value, why) => {
            await dispute(place, field.element, value, why);
            setOpening(false);
            again();
          }}
        />
      )}
      {step && <StepDialog step={step} onClose={() => setStep(null)} perform={(note) => take(step, note)} />}
    </>
  );
}

interface Stated {
  value: Values[string];
  why: string;
}

function OpenDialog({
  field,
  onClose,
  perform,
}: {
  field: FormField;
  onClose: () => void;
  perform: (value: Values[string], why: string) => Promise<void>;
}) {
  const { t, p } = useT();
  const [form] = Form.useForm<Stated>();
  useFocusBack();
  const shown = worded(field.value, t);
  const unit = p(field.unit_zh, field.unit_en);
  return (
    <FormDialog<Stated>
      form={form}
      perform={({ value, why }) => perform(value, why.trim())}
      onClose={onClose}
      title={`${t("fill.dispute")}：${p(field.name_zh, field.name_en)}`}
      okText={t("fill.dispute-send")}
      submitId="dispute-send"
      intro={
        <>
          <p>
            {t("fill.dispute-shown")}{" "}
            <strong>{shown === null ? t("fill.unknown") : `${shown} ${unit}`}</strong>
          </p>
          <p className="quiet">{t("fill.dispute-rule")}</p>
        </>
      }
    >
      <Form.Item
        name="value"
        label={t("fill.dispute-right")}
        rules={[{ required: true, message: t("fill.missing") }]}
      >
        {field.datatype === "boolean" ? (
          <Radio.Group
            optionType="button"
            options={[
              { value: true, label: t("fill.yes") },
              { value: false, label: t("fill.no") },
            ]}
          />
        ) : field.datatype === "text" ? (
          <Input maxLength={TEXT_CHARS_MAX} />
        ) : (
          <InputNumber className="fill-number" suffix={unit || undefined} />
        )}
      </Form.Item>
      <Form.Item
        name="why"
        label={t("fill.dispute-why")}
        extra={t("fill.dispute-why-rule")}
        rules={[{ required: true, whitespace: true, message: t("fill.dispute-why-missing") }]}
      >
        <Input.TextArea rows={2} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
    </FormDialog>
  );
}

function StepDialog({
  step,
  onClose,
  perform,
}: {
  step: DisputeStep;
  onClose: () => void;
  perform: (note: string) => Promise<void>;
}) {
  const { t } = useT();
  const [form] = Form.useForm<{ note: string }>();
  useFocusBack();
  const title = t(step === "reject" ? "fill.dispute-reject" : "fill.dispute-withdraw");
  return (
    <FormDialog<{ note: string }>
      form={form}
      perform={({ note }) => perform(note.trim())}
      onClose={onClose}
      title={title}
      okText={title}
      submitId="dispute-step"
    >
      <Form.Item
        name="note"
        label={t("fill.dispute-why")}
        rules={[{ required: true, whitespace: true, message: t("fill.dispute-why-missing") }]}
      >
        <Input.TextArea rows={2} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
    </FormDialog>
  );
}

/** Every dispute, what is open first. */
export function Disputes() {
  const { t, p } = useT();
  const found = useQuery(disputesQuery);
  return (
    <Loaded query={found} tall>
      {({ items }) =>
        items.length === 0 ? (
          <Nothing title={t("fill.disputes-none")} mend={t("fill.disputes-none-mend")} />
        ) : (
          <ul className="card-list">
            {items.map((one) => (
              <li key={one.case_id} className="fill-disputed">
                <strong>
                  {one.division.town ? `${one.division.town} ` : ""}
                  {one.division.name} · {p(one.name_zh, one.name_en)}
                </strong>{" "}
                <Link to={formPath({ id: one.form, division: one.division.code, period: one.period })}>
                  {p(one.title_zh, one.title_en)} {one.period}
                </Link>
                <Note found={one} />
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}
