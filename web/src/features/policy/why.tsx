/** Why somebody may do something or see something, or may not: asked in a form, answered in sentences. */
import { useQuery } from "@tanstack/react-query";
import { Card, DatePicker, Form, Input, Select } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useEffect } from "react";
import { Link, useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import type { Why, WhyAnswer } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { whyActions } from "./actions.tsx";
import { PolicyList, SeenTag, useActTitle } from "./policies.tsx";
import { actsOf, policiesQuery, WHY_FIELDS, type WhyFilter, whyQuery } from "./queries.ts";

const READ = "entity.read";
const REVEAL = "personal.reveal";

interface Entered extends Omit<WhyFilter, "at"> {
  at?: Dayjs | null;
}

/** The question in an address, beside what else stands there. */
function addressOf(before: URLSearchParams, asked: WhyFilter): URLSearchParams {
  const next = new URLSearchParams(before);
  for (const name of WHY_FIELDS) {
    const value = asked[name]?.trim();
    if (value) next.set(name, value);
    else next.delete(name);
  }
  return next;
}

export function WhyTab({ active }: { active: boolean }) {
  const { t } = useT();
  const [parameters, setParameters] = useSearchParams();
  const [form] = Form.useForm<Entered>();
  const asked: WhyFilter = {};
  for (const name of WHY_FIELDS) asked[name] = parameters.get(name) ?? undefined;
  const why = useQuery(whyQuery(asked));
  const acts = actsOf(useQuery(policiesQuery).data?.schema ?? "");
  const title = useActTitle();
  const { username, action, entity, attribute, purpose, at } = asked;
  // A link within the page, or going back, asks something else: the form says what is answered.
  useEffect(() => {
    form.setFieldsValue({ username, action, entity, attribute, purpose, at: at ? dayjs(at) : null });
  }, [form, username, action, entity, attribute, purpose, at]);
  const ask = async () => {
    const entered = await form.validateFields().catch(() => null);
    if (!entered) return;
    const next = addressOf(parameters, { ...entered, at: entered.at?.toISOString() });
    if (next.toString() === parameters.toString()) await why.refetch();
    else setParameters(next);
  };
  const context = { ask };
  useActionKeys(whyActions, active ? context : null);
  const text = (name: "username" | "entity" | "attribute" | "purpose", required = false) => (
    <Form.Item
      name={name}
      label={t(`policy.why-field-${name}`)}
      required={required}
      rules={required ? [{ required, whitespace: true, message: t("policy.why-username-missing") }] : []}
    >
      <Input allowClear maxLength={200} onPressEnter={ask} autoComplete="off" />
    </Form.Item>
  );
  return (
    <div className="stack">
      <Card size="small">
        <Form form={form} layout="vertical">
          <div className="policy-why">
            {text("username", true)}
            <Form.Item name="action" label={t("policy.why-field-action")}>
              <Select
                allowClear
                showSearch={{ optionFilterProp: "label" }}
                placeholder={title(READ)}
                options={acts.map((act) => ({ value: act, label: title(act) }))}
              />
            </Form.Item>
            {text("entity")}
            {text("attribute")}
            {text("purpose")}
            <Form.Item name="at" label={t("policy.why-field-at")}>
              <DatePicker
                showTime={{ format: "HH:mm" }}
                placeholder={t("policy.why-now")}
                className="policy-wide"
              />
            </Form.Item>
          </div>
        </Form>
        <ActionBar actions={whyActions} context={context} />
      </Card>
      {username ? (
        <Loaded query={why}>{(found) => <Answered why={found} asked={asked} />}</Loaded>
      ) : (
        <Nothing title={t("policy.why-nobody")} mend={t("policy.why-nobody-mend")} />
      )}
    </div>
  );
}

function Answered({ why, asked }: { why: Why; asked: WhyFilter }) {
  const { t } = useT();
  const list = (words: string[]) => words.join(t("policy.and")) || t("policy.why-none");
  const roles = why.roles.map((role) => {
    const key = keyOf("role", role);
    return key ? t(key) : role;
  });
  const day = keyOf("policy-weekday", String(why.weekday));
  // What is said of several attributes alike is said once.
  const groups = new Map<string, WhyAnswer[]>();
  for (const answer of why.answers) {
    const { attribute: _, ...rest } = answer;
    const key = JSON.stringify(rest);
    groups.set(key, [...(groups.get(key) ?? []), answer]);
  }
  return (
    <section className="stack" aria-live="polite" data-testid="policy-answer">
      <p className="prose">
        {t("policy.why-who", {
          name: why.name,
          username: why.username,
          roles: list(roles),
          organisations: list(why.organisations),
          posts: list(why.posts),
        })}{" "}
        {t("policy.why-when", { day: day ? t(day) : why.weekday, hour: why.hour, end: why.hour + 1 })}{" "}
        {asked.purpose ? t("policy.why-purpose", { purpose: asked.purpose }) : t("policy.why-no-purpose")}{" "}
        {why.entity &&
          t("policy.why-entity", {
            id: why.entity.id,
            type: why.entity.type,
            division: why.entity.division ?? t("policy.why-nowhere"),
            owner: why.entity.owner ?? t("policy.why-nobodys"),
          })}
      </p>
      {why.answers.length === 0 && <Nothing title={t("policy.why-no-attributes")} />}
      {[...groups].map(([key, answers]) => (
        <Answer key={key} answers={answers} why={why} asked={asked} />
      ))}
    </section>
  );
}

/** One answer, maybe of several attributes, with the policies that decided. */
function Answer({ answers, why, asked }: { answers: WhyAnswer[]; why: Why; asked: WhyFilter }) {
  const { t } = useT();
  const title = useActTitle();
  const [parameters] = useSearchParams();
  const answer = answers[0] as WhyAnswer;
  const attributes = answers.flatMap((a) => a.attribute ?? []);
  const isRead = answer.action === READ && answer.seen !== null;
  const personal = answer.personal && keyOf("policy-personal", answer.personal);
  const byId = new Map(why.policies.map((policy) => [policy.id, policy]));
  const policies = (ids: string[]) => <PolicyList policies={ids.flatMap((id) => byId.get(id) ?? [])} />;
  const sentence = isRead
    ? t(`policy.why-${answer.seen as "shown" | "masked" | "hidden"}`, { name: why.name })
    : t(answer.permitted ? "policy.why-may" : "policy.why-may-not", {
        name: why.name,
        act: title(answer.action),
      });
  return (
    <Card size="small" data-testid="policy-why">
      <div className="policy-head">
        {answer.seen && <SeenTag seen={answer.seen} />}
        <strong>{sentence}</strong>
        {personal && <span className="quiet">{t(personal)}</span>}
      </div>
      {attributes.length > 0 && (
        <p className="policy-attributes">
          {attributes.map((name) => (
            <code key={name}>{name}</code>
          ))}
        </p>
      )}
      {isRead && answer.seen === "masked" && (
        <p>
          {t("policy.why-masked-because", { name: why.name })}{" "}
          <Link to={{ search: addressOf(parameters, { ...asked, action: REVEAL }).toString() }}>
            {t("policy.why-masked-ask")}
          </Link>
        </p>
      )}
      {answer.by.length > 0 ? (
        <>
          <p>{t(answer.permitted ? "policy.why-by-permit" : "policy.why-by-forbid")}</p>
          {policies(answer.by)}
        </>
      ) : answer.permitted_to_others_by.length > 0 ? (
        <>
          <p>{t("policy.why-by-others")}</p>
          {policies(answer.permitted_to_others_by)}
        </>
      ) : (
        <p>{t("policy.why-by-none")}</p>
      )}
    </Card>
  );
}
