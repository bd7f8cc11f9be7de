/** One task: what is the matter, what the worker takes down, and what they do. */
import { useQuery } from "@tanstack/react-query";
import { Input } from "antd";
import { useRef, useState } from "react";
import { useNavigate } from "react-router";
import { useT } from "../../i18n/index.tsx";
import type { Key } from "../../i18n/words.ts";
import { ActionBar } from "../../lib/actions.tsx";
import { number } from "../../lib/format.ts";
import type { CaseDetail, CaseSummary, Place } from "../../lib/types.ts";
import { Loaded } from "../../ui/states.tsx";
import { CaseStateTag, SeverityTag } from "../../ui/tags.tsx";
import { Due } from "../cases/due.tsx";
import { caseLimitsQuery, caseQuery } from "../cases/queries.ts";
import { type TaskContext, taskActions } from "./actions.tsx";
import { allowedAfter } from "./allowed.ts";
import { Enclosures, LIMITS } from "./enclosures.tsx";
import { isApple, mapLinks } from "./navigate.ts";
import type { Enclosure, Outbox } from "./outbox.ts";
import { Steps } from "./steps.tsx";

export function Task({
  item,
  outbox,
  open,
  nth,
  metres,
  onOpen,
}: {
  item: CaseSummary;
  outbox: Outbox;
  open: boolean;
  /** Its place in the route, from 1. */
  nth?: number;
  /** Straight line from the stop before; null when that is not known. */
  metres?: number | null;
  onOpen: () => void;
}) {
  const { t } = useT();
  const steps = outbox.steps(item.id);
  return (
    <article className="task" data-case={item.id}>
      <button type="button" className="task-head" onClick={onOpen} aria-expanded={open}>
        <span className="item-card-head">
          {nth !== undefined && <span className="task-nth">{nth}</span>}
          {item.severity && <SeverityTag severity={item.severity} />}
          <strong>{item.title}</strong>
          <CaseStateTag state={item.state} />
        </span>
        <span className="quiet">
          {item.number} · <Due item={item} />
        </span>
        {metres !== undefined && metres !== null && (
          <span className="quiet">{t("field.from-before", { distance: distance(metres, t) })}</span>
        )}
      </button>
      {outbox.draftOf(item.id) && !open && <p className="task-state quiet">{t("field.draft")}</p>}
      <Steps steps={steps} outbox={outbox} />
      {open && <TaskBody id={item.id} outbox={outbox} />}
    </article>
  );
}

/** A straight line in the unit that people say. */
export function distance(metres: number, t: ReturnType<typeof useT>["t"]): string {
  return metres < 1_000
    ? t("field.metres", { n: number(Math.round(metres / 10) * 10, 0) })
    : t("field.kilometres", { n: number(metres / 1_000, 1) });
}

function TaskBody({ id, outbox }: { id: number; outbox: Outbox }) {
  const found = useQuery(caseQuery(id));
  return <Loaded query={found}>{(item) => <TaskForm item={item} outbox={outbox} />}</Loaded>;
}

function TaskForm({ item, outbox }: { item: CaseDetail; outbox: Outbox }) {
  const { t } = useT();
  const navigate = useNavigate();
  const limits = useQuery(caseLimitsQuery).data ?? LIMITS;
  const [missing, setMissing] = useState<Key | null>(null);
  const draft = outbox.draftOf(item.id);
  const note = draft?.note ?? "";
  const enclosures = draft?.enclosures ?? [];
  const latest = useRef({ note, enclosures });
  latest.current = { note, enclosures };
  const keep = (next: Partial<{ note: string; enclosures: Enclosure[] }>) => {
    // What comes late, such as a photo's place, must not undo what was entered meanwhile.
    latest.current = { ...latest.current, ...next };
    setMissing(null);
    void outbox.draft(item.id, latest.current.note, latest.current.enclosures);
  };
  const change = (next: (before: Enclosure[]) => Enclosure[]) =>
    keep({ enclosures: next(latest.current.enclosures) });
  const allowed = allowedAfter(item, outbox.steps(item.id));
  const needs = allowed.find((one) => one.action === "finish")?.needs ?? [];
  const has = (kind: Enclosure["kind"]) => enclosures.some((e) => e.kind === kind);
  const said = note.trim() !== "" || has("voice");
  const lacks = (wanted: readonly string[]): Key | null => {
    if (wanted.includes("note") && !said) return "field.finish-missing";
    if (wanted.includes("photo") && !has("photo")) return "field.photo-missing";
    if (wanted.includes("signature") && !has("signature")) return "field.signature-missing";
    return null;
  };
  const context: TaskContext = {
    item,
    outbox,
    allowed,
    navigate,
    entered: (action) => {
      const lacking = lacks(allowed.find((one) => one.action === action)?.needs ?? []);
      setMissing(lacking);
      return lacking === null;
    },
  };
  const mayFinish = allowed.some((one) => one.action === "finish");
  const last = [...item.history].reverse().find((step) => step.note);
  return (
    <div className="task-body">
      {item.description && <p className="prose">{item.description}</p>}
      {last && (
        <p className="quiet prose">
          {last.actor}: {last.note}
        </p>
      )}
      {item.location && <WayThere place={item.location} name={item.title} />}
      {mayFinish && (
        <>
          <label htmlFor={`note-${item.id}`}>
            <span>{t("field.note")}</span>
            <Input.TextArea
              id={`note-${item.id}`}
              value={note}
              rows={3}
              maxLength={limits.text_chars_max}
              status={missing === "field.finish-missing" ? "error" : undefined}
              placeholder={t("field.note-hint")}
              onChange={(event) => keep({ note: event.target.value })}
              data-testid="field-note"
            />
          </label>
          {missing && (
            <div className="field-missing" role="alert">
              {t(missing)}
            </div>
          )}
          <Enclosures
            enclosures={enclosures}
            limits={limits}
            wantsSignature={needs.includes("signature")}
            onChange={change}
          />
        </>
      )}
      <div className="task-actions">
        <ActionBar actions={taskActions} context={context} size="large" />
      </div>
    </div>
  );
}

/** Links to maps that know the roads. They leave the platform: the place goes to whom the map belongs to. */
function WayThere({ place, name }: { place: Place; name: string }) {
  const { t } = useT();
  return (
    <p className="field-way">
      <span className="quiet">{t("field.way")}</span>
      {mapLinks(place, name, isApple(navigator.userAgent)).map(({ map, url }) => (
        <a key={map} href={url} target={map === "phone" ? undefined : "_blank"} rel="noreferrer">
          {t(`field.map-${map}`)}
        </a>
      ))}
    </p>
  );
}
