/** A form of a pack: fields from the declared attributes, sent as one entity with the time of the reading. */
import "./views.css";
import { useQuery } from "@tanstack/react-query";
import { Alert, App, Form, Input, InputNumber, Select, Switch } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { number, unitSymbol, ZONE_LABEL } from "../../lib/format.ts";
import { can, useUser } from "../../lib/session.ts";
import type { AttributeKind, Entity, EntityType, ViewField, ViewForm } from "../../lib/types.ts";
import { nameOf } from "../entity/queries.ts";
import { formActions } from "./actions.tsx";
import { isNowhere, isPlace, PlaceInput } from "./place-input.tsx";
import { choiceQuery, type Entered, enter, ngsiLd, readEntity } from "./queries.ts";

/** The city's clock is eight hours ahead of UTC all year. */
const OFFSET_MS = 8 * 3_600_000;
/** What parts the texts of a list that is typed or pasted. */
const LIST_SIGNS = [",", "，", "、", ";", "；", " ", "\n", "\t"];
/** What an entity's id may end with where it is new. */
const CODE = /^[A-Za-z0-9._~-]{1,100}$/;

interface Values {
  entity: string;
  at: string;
  fields: Record<string, Entered>;
}

/** A moment as the field for it writes it, in the city's time. */
export function localMinute(ms: number): string {
  return new Date(ms + OFFSET_MS).toISOString().slice(0, 16);
}

/** The moment of such a field (RFC 3339, UTC); null when it is none. */
export function momentOf(local: string): string | null {
  const ms = Date.parse(`${local}Z`) - OFFSET_MS;
  return Number.isFinite(ms) ? new Date(ms).toISOString() : null;
}

export function EntryForm({
  view,
  form,
  kind,
  entity,
  onSent,
}: {
  view: string;
  form: ViewForm;
  kind: EntityType;
  /** The one that it is of, where that is known: nothing is chosen then. */
  entity?: Entity;
  /** Called when it was sent. */
  onSent?: () => unknown;
}) {
  const { t } = useT();
  const user = useUser();
  const { message } = App.useApp();
  const [entry] = Form.useForm<Values>();
  const send = async () => {
    const values = await entry.validateFields().catch(() => null);
    const at = values && momentOf(values.at);
    if (!values || !at) return;
    const chosen = () => (form.new ? `urn:ngsi-ld:${kind.name}:${values.entity.trim()}` : values.entity);
    await enter(view, ngsiLd(entity?.id ?? chosen(), kind, values.fields, at));
    message.success(t("view.entered"));
    entry.resetFields(["fields"]);
    entry.setFieldValue("at", localMinute(Date.now()));
    await onSent?.();
  };
  const context = { send };
  useActionKeys(formActions, context);
  const may = user !== null && can(user, "data.enter");
  return (
    <Form
      form={entry}
      layout="vertical"
      className="entry-form"
      disabled={!may}
      initialValues={{ at: localMinute(Date.now()) }}
    >
      {!may && <Alert type="info" showIcon title={t("view.may-not")} />}
      {entity ? null : form.new ? (
        <Form.Item
          name="entity"
          label={t("view.code")}
          rules={[{ required: true, pattern: CODE, message: t("view.code-needed") }]}
        >
          <Input prefix={`urn:ngsi-ld:${kind.name}:`} />
        </Form.Item>
      ) : (
        <EntityChoice kind={kind} />
      )}
      {form.fields.map((field) => (
        <Field
          key={field.attribute}
          field={field}
          declared={kind.attributes[field.attribute]}
          now={entity?.attributes[field.attribute]?.value}
        />
      ))}
      <Form.Item
        name="at"
        label={t("view.at", { zone: ZONE_LABEL })}
        rules={[
          {
            validator: (_, value: string) =>
              momentOf(value) ? Promise.resolve() : Promise.reject(new Error(t("view.at-needed"))),
          },
        ]}
      >
        <Input type="datetime-local" />
      </Form.Item>
      <ActionBar actions={formActions} context={context} />
    </Form>
  );
}

/** Another entity, found by its name or id among those of some types; of all types where none is named. */
function OtherEntity({
  id,
  value,
  onChange,
  types,
}: {
  id?: string;
  value?: string;
  onChange?: (id: string | undefined) => void;
  types: string[];
}) {
  const { t, language } = useT();
  const [q, setQ] = useState("");
  const found = useQuery(choiceQuery(types.join(","), q));
  const options = (found.data?.items ?? []).map((entity) => ({
    value: entity.id,
    label: nameOf(entity, language),
  }));
  // What was chosen keeps its name while another is looked for.
  const chosen = useQuery({
    queryKey: ["pack-chosen", value],
    queryFn: () => readEntity(value ?? ""),
    enabled: value !== undefined && !options.some((one) => one.value === value),
  }).data;
  if (chosen && value === chosen.id) options.push({ value, label: nameOf(chosen, language) });
  return (
    <Select
      id={id}
      allowClear
      value={value}
      onChange={(to: string | undefined) => onChange?.(to)}
      showSearch={{ filterOption: false, onSearch: setQ }}
      loading={found.isFetching}
      options={options}
      optionRender={(option) => (
        <>
          {option.label} <span className="quiet">{option.value}</span>
        </>
      )}
      notFoundContent={t(found.isError ? "state.error" : "view.entity-none")}
    />
  );
}

function EntityChoice({ kind }: { kind: EntityType }) {
  const { t, language } = useT();
  const [q, setQ] = useState("");
  const found = useQuery(choiceQuery(kind.name, q));
  const options = found.data?.items.map((entity) => ({
    value: entity.id,
    label: nameOf(entity, language),
  }));
  return (
    <Form.Item
      name="entity"
      label={t("view.entity")}
      rules={[{ required: true, message: t("view.entity-needed") }]}
    >
      <Select
        showSearch={{ filterOption: false, onSearch: setQ }}
        loading={found.isFetching}
        options={options ?? []}
        notFoundContent={t(found.isError ? "state.error" : "view.entity-none")}
      />
    </Form.Item>
  );
}

/** What an attribute says now, in the words of its choices, a point as degrees; null where that is no line of text. */
function nowSaid(field: ViewField, now: unknown, p: (zh: string, en: string) => string): string | null {
  const point = (now as { coordinates?: unknown } | null)?.coordinates;
  if (Array.isArray(point) && typeof point[0] === "number" && typeof point[1] === "number") {
    return `${point[0].toFixed(5)}°E, ${point[1].toFixed(5)}°N`;
  }
  if (field.list && Array.isArray(now)) return now.join(p("、", ", "));
  if (typeof now !== "string" && typeof now !== "number") return null;
  const choice = field.choices.find((one) => one.value === now);
  return choice ? p(choice.title_zh, choice.title_en) : String(now);
}

function Field({
  field,
  declared,
  now,
}: {
  field: ViewField;
  declared: AttributeKind | undefined;
  /** What it says now. */
  now: unknown;
}) {
  const { t, p } = useT();
  const said = nowSaid(field, now, p);
  const title = declared ? p(declared.title_zh, declared.title_en) : field.attribute;
  const { min = null, max = null, unit = null } = declared ?? {};
  const isNumber = declared?.value === "number";
  const isOutside = (value: unknown) =>
    typeof value === "number" && ((min !== null && value < min) || (max !== null && value > max));
  const range =
    isNumber && min !== null && max !== null
      ? t("view.range", { min: number(min), max: number(max), unit: unitSymbol(unit) })
      : undefined;
  const hints = [said && t("view.now", { value: said }), range].filter(Boolean);
  return (
    <Form.Item
      name={["fields", field.attribute]}
      label={title}
      extra={hints.length > 0 ? hints.join(" · ") : undefined}
      valuePropName={declared?.value === "boolean" ? "checked" : "value"}
      rules={[
        { required: field.required, message: t("view.needed", { title }) },
        {
          validator: (_, value) =>
            declared?.value !== "geometry" || isNowhere(value) || isPlace(value)
              ? Promise.resolve()
              : Promise.reject(new Error(t("view.no-place"))),
        },
        {
          // It is kept and marked; only the person can know whether it is a slip.
          warningOnly: true,
          validator: (_, value) =>
            isOutside(value) ? Promise.reject(new Error(t("view.outside"))) : Promise.resolve(),
        },
      ]}
    >
      {control(field, declared, p)}
    </Form.Item>
  );
}

function control(
  field: ViewField,
  declared: AttributeKind | undefined,
  p: (zh: string, en: string) => string,
) {
  const words = declared?.words ?? [];
  if (declared?.value === "boolean") {
    const word = (value: string) => {
      const found = words.find((each) => each.value === value);
      return found && p(found.title_zh, found.title_en);
    };
    return <Switch checkedChildren={word("true")} unCheckedChildren={word("false")} />;
  }
  // A text whose values have words is one of them, where the form does not say which.
  const choices = field.choices.length > 0 ? field.choices : words;
  if (choices.length > 0) {
    const options = choices.map((c) => ({ value: c.value, label: p(c.title_zh, c.title_en) }));
    return <Select allowClear={!field.required} options={options} />;
  }
  if (declared?.value === "geometry") return <PlaceInput />;
  if (declared?.value === "relationship") return <OtherEntity types={field.from} />;
  if (field.list) {
    // Typed or pasted, parted by whatever people part codes with.
    return <Select mode="tags" tokenSeparators={LIST_SIGNS} open={false} suffixIcon={null} />;
  }
  if (declared?.value === "number") {
    return <InputNumber className="entry-number" suffix={unitSymbol(declared.unit)} />;
  }
  return <Input maxLength={2_000} />;
}
