/** One case: where it stands, what may be done, and everything that was done, by whom and when. */
import { FileOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Card, Descriptions, Image, Steps, Tag, Timeline } from "antd";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar, available, useActionKeys } from "../../lib/actions.tsx";
import { bytes, half } from "../../lib/format.ts";
import { can, useUser } from "../../lib/session.ts";
import type { Attachment, CaseActionName, CaseDetail } from "../../lib/types.ts";
import { Loaded } from "../../ui/states.tsx";
import { CaseStateTag, SeverityTag, stateWord, Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { entityQuery, nameOf } from "../entity/queries.ts";
import { type CaseContext, caseActions } from "./actions.tsx";
import { CaseActionDialog } from "./dialogs.tsx";
import { Due } from "./due.tsx";
import { attachmentUrl, caseQuery, keepCase } from "./queries.ts";

export function Page() {
  const id = Number(useParams().id);
  const found = useQuery(caseQuery(id));
  return (
    <Loaded query={found} tall>
      {(item) => <CaseView item={item} />}
    </Loaded>
  );
}

function CaseView({ item }: { item: CaseDetail }) {
  const { t } = useT();
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

function CaseFacts({ item }: { item: CaseDetail }) {
  const { t, p, language } = useT();
  const user = useUser();
  const entity = useQuery({
    ...entityQuery(item.entity_id ?? ""),
    enabled: item.entity_id !== null && can(user, "entity.read"),
  }).data;
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
          {
            key: "organisation",
            label: t("case.organisation"),
            children: item.organisation ? p(item.organisation.name_zh, item.organisation.name_en) : "—",
          },
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

function Attachments({ items }: { items: Attachment[] }) {
  const { t } = useT();
  if (items.length === 0) return <span className="quiet">{t("case.attachments-none")}</span>;
  const images = items.filter((item) => item.media_type.startsWith("image/"));
  const others = items.filter((item) => !item.media_type.startsWith("image/"));
  return (
    <>
      {images.length > 0 && (
        <Image.PreviewGroup>
          <div className="photos">
            {images.map((image) => (
              <figure key={image.id}>
                <Image src={attachmentUrl(image.id)} alt={image.name} width={120} height={120} />
                <figcaption className="quiet ellipsis" title={image.sha256}>
                  {image.name} · {bytes(image.size_bytes)}
                </figcaption>
              </figure>
            ))}
          </div>
        </Image.PreviewGroup>
      )}
      {others.map((file) => (
        <p key={file.id}>
          <FileOutlined />{" "}
          <a href={attachmentUrl(file.id)} download={file.name}>
            {file.name}
          </a>{" "}
          <span className="quiet">{bytes(file.size_bytes)}</span>
        </p>
      ))}
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
              </div>
              {step.organisation && (
                <div>
                  {p(step.organisation.name_zh, step.organisation.name_en)}
                  {step.assignee && ` · ${step.assignee.name}`}
                </div>
              )}
              {step.note && <p className="prose">{half(language, step.note)}</p>}
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
