/** A form of a period in a town or village: what the platform knows stands filled in with its source, the rest is asked. Phone first. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Button, Card, Form, type FormInstance, Input, InputNumber, Radio } from "antd";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { type Translate, useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { number, time } from "../../lib/format.ts";
import type { FormDetail, FormField, FormSource } from "../../lib/types.ts";
import { FormDialog } from "../../ui/form-dialog.tsx";
import { Loaded } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { indicatorPath } from "../plan/list.ts";
import { type FormContext, formActions, isOpen } from "./actions.tsx";
import { Dispute, worded } from "./dispute.tsx";
import { StateTag } from "./marks.tsx";
import { formPath, formQuery, giveBack, type Place, save, submit, type Values } from "./queries.ts";
import "./forms.css";

/** Longest text of a field, and of a reason, in characters; the server's own. */
const TEXT_CHARS_MAX = 500;

/** What is entered: values by data element, and why it is corrected. */
type Entered = Values;
/** The name of the reason among the fields: no data element is called so. */
const REASON = "$reason";

export function Page() {
  const { id = "", division = "", period = "" } = useParams();
  const place = { id, division, period };
  const found = useQuery(formQuery(place));
  return (
    <Loaded query={found} tall>
      {(form) => <View key={`${form.state} ${form.version}`} form={form} place={place} />}
    </Loaded>
  );
}

/** What was entered as it is sent: nothing is null. */
function sent(fields: FormField[], entered: Partial<Entered>): Values {
  const asked = fields.filter(({ ask }) => ask);
  return Object.fromEntries(asked.map(({ element }) => [element, entered[element] ?? null]));
}

function View({ form, place }: { form: FormDetail; place: Place }) {
  const { t, p } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [entry] = Form.useForm<Entered>();
  const [correcting, setCorrecting] = useState(false);
  const [returning, setReturning] = useState(false);
  const done = (next: FormDetail, word: "fill.saved" | "fill.submitted" | "fill.returned") => {
    queryClient.setQueryData(formQuery(place).queryKey, next);
    void queryClient.invalidateQueries({
      queryKey: ["forms"],
      predicate: ({ queryKey }) => queryKey[1] !== "one",
    });
    message.success(t(word));
  };
  const context: FormContext = {
    form,
    correcting,
    save: async () =>
      done(await save(place, sent(form.fields, entry.getFieldsValue(true)), form.version), "fill.saved"),
    submit: async () => {
      const entered = await entry.validateFields().catch(() => null);
      if (!entered) return;
      const reason = correcting ? String(entered[REASON] ?? "") : null;
      done(await submit(place, sent(form.fields, entered), form.version, reason), "fill.submitted");
    },
    correct: () => setCorrecting(true),
    cancel: () => setCorrecting(false),
    giveBack: () => setReturning(true),
  };
  const known = form.fields.filter(({ ask }) => !ask);
  const asked = form.fields.filter(({ ask }) => ask);
  const open = isOpen(context);
  return (
    <div className="page fill-page" data-testid="form">
      <Link to="/forms" className="back">
        {t("fill.back")}
      </Link>
      <header className="page-head">
        <h1>{p(form.form.title_zh, form.form.title_en)}</h1>
        <StateTag state={form.state} late={form.is_late} />
      </header>
      <p className="fill-about">
        <strong>
          {form.division.town ? `${form.division.town} ` : ""}
          {form.division.name}
        </strong>{" "}
        · {form.period} · {t("fill.by", { day: form.due_on })}
      </p>
      <p className="quiet fill-about">
        {t("fill.asked-by")}
        {t("word.colon")}
        {p(form.form.asked_by.name_zh, form.form.asked_by.name_en)} · {t("fill.basis")}
        {t("word.colon")}
        {p(form.form.basis_zh, form.form.basis_en)}
      </p>
      {form.state === "returned" && (
        <Alert
          type="warning"
          showIcon
          title={t("fill.returned-why", { by: form.returned_by ?? "", why: form.returned_why ?? "" })}
        />
      )}
      {form.submitted_at && (
        <p className="fill-about" data-testid="form-submitted">
          {t("fill.submitted-by", { by: form.by ?? "", time: time(form.submitted_at) })}
        </p>
      )}
      {!form.may_fill && form.state !== "submitted" && <Alert type="info" title={t("fill.not-yours")} />}
      {asked.length > 0 && (
        <Card size="small" title={t("fill.asks", { n: asked.length })}>
          {open ? (
            <Asked entry={entry} fields={asked} correcting={correcting} />
          ) : (
            <dl className="fill-list">
              {asked.map((field) => (
                <Shown key={field.element} field={field} />
              ))}
            </dl>
          )}
        </Card>
      )}
      {known.length > 0 && (
        <Card size="small" title={t("fill.known", { n: known.length })}>
          <dl className="fill-list">
            {known.map((field) => (
              <Shown key={field.element} field={field} place={place} />
            ))}
          </dl>
        </Card>
      )}
      <div className="fill-actions">
        <ActionBar actions={formActions} context={context} />
      </div>
      <History form={form} />
      {returning && (
        <ReturnDialog
          onClose={() => setReturning(false)}
          perform={async (reason) => done(await giveBack(place, reason), "fill.returned")}
        />
      )}
    </div>
  );
}

/** A value with its unit and, of what the platform knows, where it comes from. */
function Shown({ field, place }: { field: FormField; place?: Place }) {
  const { t, p } = useT();
  const value = worded(field.value, t);
  return (
    <div className="fill-row" data-testid={`known-${field.element}`}>
      <dt>
        {p(field.name_zh, field.name_en)}
        <span className="quiet fill-meant">{p(field.definition_zh, field.definition_en)}</span>
      </dt>
      <dd>
        {value === null ? (
          <span className="quiet">{field.ask ? "—" : t("fill.unknown")}</span>
        ) : (
          <strong className="number">
            {value} {p(field.unit_zh, field.unit_en)}
          </strong>
        )}
        {field.source && <Source source={field.source} division={place?.division ?? ""} />}
        {place && (field.dispute || field.may_dispute) && <Dispute field={field} place={place} />}
      </dd>
    </div>
  );
}

function Source({ source, division }: { source: FormSource; division: string }) {
  const { t, p } = useT();
  const name = p(source.title_zh, source.title_en);
  if (source.problem) {
    return (
      <span className="fill-source fill-why" title={source.problem.what}>
        {t(source.problem.code === "element-late" ? "fill.unread-late" : "fill.unread")}
      </span>
    );
  }
  if (source.indicator) {
    return (
      <Link className="fill-source" to={indicatorPath(source.indicator)}>
        {t("fill.source-indicator", { name })}
      </Link>
    );
  }
  if (source.form && source.period) {
    const to = formPath({ id: source.form, division, period: source.period });
    return (
      <Link className="fill-source" to={to}>
        {t("fill.source-form", { name, period: source.period })}
      </Link>
    );
  }
  if (source.form) {
    return <span className="fill-source quiet">{t("fill.source-form-none", { name })}</span>;
  }
  return (
    <details className="fill-source">
      <summary>
        {t(source.kind === "table" ? "fill.source-table" : "fill.source-query")} · <Time at={source.at} />
      </summary>
      <pre className="fill-sql">{source.sql?.trim()}</pre>
      <span className="quiet">{source.place}</span>
    </details>
  );
}

function Asked({
  entry,
  fields,
  correcting,
}: {
  entry: FormInstance<Entered>;
  fields: FormField[];
  correcting: boolean;
}) {
  const { t, p } = useT();
  const initial = Object.fromEntries(fields.map(({ element, value }) => [element, value ?? undefined]));
  return (
    <Form form={entry} layout="vertical" initialValues={initial} scrollToFirstError>
      {fields.map((field) => (
        <Form.Item
          key={field.element}
          name={field.element}
          label={p(field.name_zh, field.name_en)}
          extra={
            <>
              {[p(field.definition_zh, field.definition_en), p(field.help_zh, field.help_en)]
                .filter(Boolean)
                .join(t("fill.stop"))}
              <Last field={field} onTake={(value) => entry.setFieldValue(field.element, value)} />
            </>
          }
          rules={rulesOf(field, t)}
        >
          {controlOf(field, t, p(field.unit_zh, field.unit_en))}
        </Form.Item>
      ))}
      {correcting && (
        <Form.Item
          name={REASON}
          label={t("fill.reason")}
          rules={[{ required: true, whitespace: true, message: t("fill.reason-missing") }]}
        >
          <Input.TextArea rows={2} maxLength={TEXT_CHARS_MAX} />
        </Form.Item>
      )}
    </Form>
  );
}

/** What was written for the period before, to be taken over where nothing changed. */
function Last({ field, onTake }: { field: FormField; onTake: (value: Values[string]) => void }) {
  const { t, p } = useT();
  const words = worded(field.last?.value, t);
  if (!field.last || words === null) return null;
  const { period, value } = field.last;
  return (
    <span className="fill-source">
      {t("fill.last", { period, value: `${words} ${p(field.unit_zh, field.unit_en)}`.trim() })}{" "}
      <Button type="link" size="small" className="fill-name" onClick={() => onTake(value as Values[string])}>
        {t("fill.last-take")}
      </Button>
    </span>
  );
}

/** What must hold before it is sent; the server says the same. */
function rulesOf(field: FormField, t: Translate) {
  const { min, max } = field;
  const isNumber = field.datatype === "integer" || field.datatype === "number";
  return [
    ...(field.required ? [{ required: true, message: t("fill.missing") }] : []),
    ...(isNumber
      ? [
          {
            validator: async (_: unknown, value?: unknown) => {
              if (typeof value !== "number") return;
              if (field.datatype === "integer" && !Number.isInteger(value)) throw new Error(t("fill.whole"));
              if ((min !== null && value < min) || (max !== null && value > max)) {
                throw new Error(t("fill.range", { min: number(min ?? 0), max: number(max ?? 0) }));
              }
            },
          },
        ]
      : []),
  ];
}

/** The control of a field; the form gives it its value, so it stands right below. */
function controlOf(field: FormField, t: Translate, unit: string) {
  switch (field.datatype) {
    case "integer":
    case "number":
      return (
        <InputNumber
          className="fill-number"
          inputMode={field.datatype === "integer" ? "numeric" : "decimal"}
          suffix={unit || undefined}
        />
      );
    case "boolean":
      return (
        <Radio.Group
          optionType="button"
          options={[
            { value: true, label: t("fill.yes") },
            { value: false, label: t("fill.no") },
          ]}
        />
      );
    default:
      return <Input.TextArea rows={2} maxLength={TEXT_CHARS_MAX} showCount />;
  }
}

/** What was handed in before, newest first. */
function History({ form }: { form: FormDetail }) {
  const { t, p } = useT();
  if (form.history.length < 2) return null;
  const names = new Map(form.fields.map((field) => [field.element, p(field.name_zh, field.name_en)]));
  return (
    <Card size="small" title={t("fill.history")}>
      <ul className="plain-list">
        {form.history.map((version) => (
          <li key={version.id} data-testid="form-version">
            <StateTag state={version.state} /> {version.by} · <Time at={version.submitted_at} bare />
            {version.reason && ` · ${version.reason}`}
            <div className="quiet">
              {Object.entries(version.asked)
                .map(([element, value]) => `${names.get(element) ?? element}：${String(value)}`)
                .join("；")}
            </div>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function ReturnDialog({
  onClose,
  perform,
}: {
  onClose: () => void;
  perform: (reason: string) => Promise<void>;
}) {
  const { t } = useT();
  const [form] = Form.useForm<{ reason: string }>();
  return (
    <FormDialog<{ reason: string }>
      form={form}
      perform={async ({ reason }) => {
        await perform(reason.trim());
        onClose();
      }}
      onClose={onClose}
      title={t("fill.return")}
      okText={t("fill.return")}
      submitId="form-return"
      danger
    >
      <Form.Item
        name="reason"
        label={t("fill.return-why")}
        rules={[{ required: true, whitespace: true, message: t("fill.reason-missing") }]}
      >
        <Input.TextArea rows={2} maxLength={TEXT_CHARS_MAX} />
      </Form.Item>
    </FormDialog>
  );
}
