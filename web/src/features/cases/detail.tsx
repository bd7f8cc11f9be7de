/** One case: where it stands, what may be done, and everything that was done, by whom and when. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Card, Descriptions, Steps, Tag, Timeline } from "antd";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar, available, useActionKeys } from "../../lib/actions.tsx";
import { half, time } from "../../lib/format.ts";
import { can, useUser } from "../../lib/session.ts";
import type { CaseActionName, CaseDetail, CaseStep } from "../../lib/types.ts";
import { Loaded } from "../../ui/states.tsx";
import { CaseStateTag, SeverityTag, stateWord, Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { AffectedCard } from "../alerts/affected.tsx";
import { ToldCard } from "../alerts/told.tsx";
import { entityQuery, nameOf } from "../entity/queries.ts";
import { ClaimCard } from "../plan/claim-card.tsx";
import { type CaseContext, caseActions } from "./actions.tsx";
import { Attachments } from "./attachments.tsx";
import { classTitle } from "./classes.ts";
import { CaseActionDialog } from "./dialogs.tsx";
import { Due, duration, Left } from "./due.tsx";
import { OtherPlatforms, Suggested } from "./open311.tsx";
import {
  attachmentUrl,
  caseQuery,
  classesQuery,
  contactQuery,
  gridsQuery,
  keepCase,
  organisationsQuery,
  similarQuery,
} from "./queries.ts";

export function Page() {
  const id = Number(useParams().id);
  const found = useQuery(caseQuery(id));
  return (
    <Loaded query={found} tall>
      {(item) => <CaseView item={item} />}
    </Loaded>
  );
}

/** Cases of this kind near here, so that nobody works twice. */
function MayBeTheSame({ id }: { id: number }) {
  const { t } = useT();
  const found = useQuery(similarQuery(id));
  if (!found.data || found.data.items.length === 0) return null;
  return (
    <Card size="small" title={t("case.similar")}>
      {found.data.items.map((other) => (
        <p key={other.id}>
          <CaseStateTag state={other.state} /> <Link to={`/cases/${other.id}`}>{other.number}</Link>{" "}
          {other.title}{" "}
          <span className="quiet">· {t("case.metres", { metres: Math.round(other.metres) })}</span>
        </p>
      ))}
    </Card>
  );
}

/** What stands out of a case: extension, supervision, suspension, escalation, reporters, and the cases it belongs to. */
function Marks({ item }: { item: CaseDetail }) {
  const { t } = useT();
  return (
    <>
      {item.supervised_until && (
        <Tag color="volcano">{t("case.supervised", { time: time(item.supervised_until) })}</Tag>
      )}
      {item.suspended_until && <Tag>{t("case.suspended", { time: time(item.suspended_until) })}</Tag>}
      {item.escalation > 0 && <Tag color="red">{t("case.escalation", { level: item.escalation })}</Tag>}
      {item.extension_minutes !== null && (
        <Tag color="gold">{t("case.extension-asked", { minutes: item.extension_minutes })}</Tag>
      )}
      {item.extensions > 0 && <Tag>{t("case.extensions", { count: item.extensions })}</Tag>}
      {item.reopened > 0 && <Tag color="orange">{t("case.reopened", { count: item.reopened })}</Tag>}
      {item.reporters > 1 && <Tag>{t("case.reporters", { count: item.reporters })}</Tag>}
      {item.parent_id !== null && (
        <Link to={`/cases/${item.parent_id}`}>
          {t("case.part-of")} {item.number.replace(/-\d+$/, "")}
        </Link>
      )}
      {item.duplicate_of !== null && <Link to={`/cases/${item.duplicate_of}`}>{t("case.duplicate-of")}</Link>}
    </>
  );
}

function CaseView({ item }: { item: CaseDetail }) {
  const { t, p } = useT();
  const user = useUser();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState<CaseActionName | null>(null);
  const changed = (next: CaseDetail, action: CaseActionName) => {
    keepCase(queryClient, next);
    message.success(t("case.done", { action: t(`case-action.${action}`) }));
  };
  const context: CaseContext = { item, changed, ask: setAsking };
  useActionKeys(caseActions, asking ? null : context);
  const nothingToDo = available(caseActions, context, user).length === 0;
  return (
    <div className="page">
      <header className="page-head">
        <h1>{item.title}</h1>
        {item.severity && <SeverityTag severity={item.severity} />}
        <CaseStateTag state={item.state} />
        <code className="quiet">{item.number}</code>
        <Marks item={item} />
      </header>
      <Card size="small">
        <Way item={item} />
        <div className="toolbar" style={{ margin: "12px 0 0" }}>
          <ActionBar actions={caseActions} context={context} />
          {nothingToDo && <span className="quiet">{t("case.no-actions")}</span>}
        </div>
      </Card>
      <div className="split">
        <div className="stack">
          <CaseFacts item={item} />
          {can(user, "indicator.read") && <ClaimCard caseId={item.id} />}
          {item.alert_id !== null && <AffectedCard alertId={item.alert_id} entityId={item.entity_id} />}
          {item.alert_id !== null && <ToldCard alertId={item.alert_id} />}
          {item.parts.length > 0 && (
            <Card size="small" title={t("case.parts")}>
              <ul className="card-list">
                {item.parts.map((part) => (
                  <li key={part.id}>
                    <Link className="item-card" to={`/cases/${part.id}`}>
                      <span className="item-card-head">
                        <CaseStateTag state={part.state} /> <strong>{part.number}</strong>
                      </span>
                      <span>
                        {part.organisation && p(part.organisation.name_zh, part.organisation.name_en)}
                      </span>
                      <span className="quiet">
                        <Due item={part} />
                      </span>
                    </Link>
                  </li>
                ))}
              </ul>
            </Card>
          )}
          <OtherPlatforms item={item} />
          {item.location && item.closed_at === null && !item.parent_id && <MayBeTheSame id={item.id} />}
          <Card size="small" title={t("case.attachments")}>
            <Attachments items={item.attachments} />
          </Card>
        </div>
        <Card size="small" title={t("case.history")}>
          <History item={item} />
        </Card>
      </div>
      {asking && (
        <CaseActionDialog item={item} action={asking} onClose={() => setAsking(null)} onDone={changed} />
      )}
    </div>
  );
}

function Way({ item }: { item: CaseDetail }) {
  const { t } = useT();
  const phone = usePhone();
  const { way } = item;
  const at = way.indexOf(item.state);
  // Cancelled, or its workflow is gone.
  if (at < 0) return <CaseStateTag state={item.state} />;
  return (
    <Steps
      size="small"
      current={at === way.length - 1 ? way.length : at}
      orientation="horizontal"
      responsive={false}
      type={phone ? "dot" : "default"}
      className={phone ? "way way-phone" : "way"}
      items={way.map((state) => ({ title: phone ? "" : stateWord(state, t) }))}
    />
  );
}

/** What the catalogue says of the kind of the case, and in which unit grid it lies. */
function useClassFacts(item: CaseDetail) {
  const { t, p } = useT();
  const classes = useQuery({ ...classesQuery, enabled: item.category !== null });
  const grids = useQuery({ ...gridsQuery, enabled: item.grid !== null });
  const organisations = useQuery({ ...organisationsQuery, enabled: item.category !== null });
  const of = classes.data?.items.find((c) => c.code === item.category);
  const answers = organisations.data?.items.find((o) => o.id === of?.organisation);
  const grid = grids.data?.items.find((g) => g.code === item.grid);
  const facts: { key: string; label: string; children: string }[] = [];
  if (item.category !== null)
    facts.push({
      key: "class",
      label: t("case.class"),
      children: of ? classTitle(of, p) : item.category,
    });
  if (of) {
    facts.push({
      key: "limit",
      label: t("case.class-limit"),
      children: `${duration(of.minutes * 60, false, t)}${of.calendar === "always" ? ` · ${t("case.class-always")}` : ""}`,
    });
    if (answers)
      facts.push({
        key: "answers",
        label: t("case.class-organisation"),
        children: p(answers.name_zh, answers.name_en),
      });
    facts.push({ key: "closes", label: t("case.class-closes"), children: p(of.closes_zh, of.closes_en) });
  }
  if (item.grid !== null)
    facts.push({
      key: "grid",
      label: t("case.grid"),
      children: grid ? `${grid.name} ${item.grid}` : item.grid,
    });
  return facts;
}

/** What the references of cases that came through Open311 begin with. */
const REQUEST = "open311-";

/** Who reported the case through Open311 and where, masked by the server. */
function useReporterFacts(item: CaseDetail) {
  const { t } = useT();
  const contact = useQuery({
    ...contactQuery(item.id),
    enabled: item.reporter?.startsWith(REQUEST) ?? false,
  }).data;
  if (!contact) return [];
  const who = [contact.last_name, contact.first_name, contact.phone, contact.email];
  const said = [...who, contact.endpoint].filter((text) => text).join(" · ");
  return [
    ...(said ? [{ key: "reporter", label: t("case.reporter"), children: said }] : []),
    ...(contact.address ? [{ key: "address", label: t("case.address"), children: contact.address }] : []),
    ...Object.entries(contact.attributes).map(([code, values]) => ({
      key: `attribute-${code}`,
      label: code,
      children: values.join(" · "),
    })),
  ];
}

function CaseFacts({ item }: { item: CaseDetail }) {
  const { t, p, language } = useT();
  const user = useUser();
  const entity = useQuery({
    ...entityQuery(item.entity_id ?? ""),
    enabled: item.entity_id !== null && can(user, "entity.read"),
  }).data;
  const classFacts = useClassFacts(item);
  const reporterFacts = useReporterFacts(item);
  return (
    <Card size="small">
      <p className="prose" style={{ marginBottom: 12 }}>
        {item.description || <span className="quiet">{t("case.description-none")}</span>}
      </p>
      <Descriptions
        size="small"
        column={{ xs: 1, md: 2 }}
        items={[
          { key: "due", label: t("case.due"), children: <Due item={item} /> },
          ...(item.case_due_at
            ? [
                {
                  key: "whole",
                  label: t("case.whole-due"),
                  children: (
                    <span>
                      <Time at={item.case_due_at} /> <Left item={item} whole />
                    </span>
                  ),
                },
              ]
            : []),
          {
            key: "organisation",
            label: t("case.organisation"),
            children: item.organisation ? p(item.organisation.name_zh, item.organisation.name_en) : "—",
          },
          ...classFacts,
          ...reporterFacts,
          { key: "assignee", label: t("case.assignee"), children: item.assignee?.name ?? "—" },
          {
            key: "created",
            label: t("case.created"),
            children: (
              <span>
                {item.created_by} · <Time at={item.created_at} />
              </span>
            ),
          },
          ...(item.entity_id
            ? [
                {
                  key: "entity",
                  label: t("word.entity"),
                  children: (
                    <Link
                      to={`/entities/${encodeURIComponent(item.entity_id)}`}
                      style={{ overflowWrap: "anywhere" }}
                    >
                      {entity ? nameOf(entity, language) : item.entity_id}
                    </Link>
                  ),
                },
              ]
            : []),
          ...(item.alert_id
            ? [
                {
                  key: "alert",
                  label: t("case.from-alert"),
                  children: <Link to={`/alerts?alert=${item.alert_id}`}>{t("word.details")}</Link>,
                },
              ]
            : []),
          ...(item.location
            ? [
                {
                  key: "location",
                  label: t("case.location"),
                  children: `${item.location[0].toFixed(5)}°E, ${item.location[1].toFixed(5)}°N`,
                },
              ]
            : []),
          ...(item.closed_at
            ? [{ key: "closed", label: t("case.closed"), children: <Time at={item.closed_at} /> }]
            : []),
        ]}
      />
    </Card>
  );
}

/** The times of a step that came late, as the phone wrote them down. */
function OwnTimes({ step }: { step: CaseStep }) {
  const { t } = useT();
  const detail = (step.detail ?? {}) as {
    done_at?: string;
    done_at_doubtful?: string;
    clock_off_s?: number;
  };
  return (
    <>
      {detail.done_at && <div>{t("case.done-at", { time: time(detail.done_at) })}</div>}
      {detail.done_at_doubtful && (
        <div>{t("case.done-at-doubtful", { time: time(detail.done_at_doubtful) })}</div>
      )}
      {detail.clock_off_s !== undefined && (
        <Tag color="gold">{t("case.step-clock-off", { time: duration(detail.clock_off_s, true, t) })}</Tag>
      )}
    </>
  );
}

/** The name under which the platform itself writes into a case. */
const PLATFORM = "system";

function History({ item }: { item: CaseDetail }) {
  const { t, p, language } = useT();
  const attachments = new Map(item.attachments.map((a) => [a.id, a]));
  return (
    <Timeline
      items={[...item.history].reverse().map((step, i) => {
        const word = keyOf("case-action", step.action);
        return {
          key: `${step.at}-${i}`,
          color: i === 0 ? "#0e6b7c" : "#9fb4ba",
          content: (
            <div className="history-step">
              <strong>{word ? t(word) : step.action}</strong> ·{" "}
              {step.actor === PLATFORM ? t("case.platform") : step.actor}
              {step.from_state !== step.to_state && (
                <>
                  {" → "}
                  <CaseStateTag state={step.to_state} />
                </>
              )}
              <div className="quiet">
                <Time at={step.at} />
                {step.late && <Tag color="red">{t("case.overdue")}</Tag>}
                <OwnTimes step={step} />
              </div>
              {step.organisation && (
                <div>
                  {p(step.organisation.name_zh, step.organisation.name_en)}
                  {step.assignee && ` · ${step.assignee.name}`}
                </div>
              )}
              {step.note && <p className="prose">{half(language, step.note)}</p>}
              <Suggested step={step} />
              {step.attachments.map((id) => (
                <a key={id} href={attachmentUrl(id)} target="_blank" rel="noreferrer">
                  {attachments.get(id)?.name ?? id}
                </a>
              ))}
            </div>
          ),
        };
      })}
    />
  );
}
