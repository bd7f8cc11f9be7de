/** The field worker's page, made for a phone and a poor network: take a task, photograph, note, finish. */
import "./field.css";
import { CameraOutlined, CloseOutlined, WifiOutlined } from "@ant-design/icons";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Alert, App, Button, Input } from "antd";
import { useEffect, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { useT } from "../../i18n/index.tsx";
import type { Key } from "../../i18n/words.ts";
import { ActionBar } from "../../lib/actions.tsx";
import { bytes } from "../../lib/format.ts";
import { useUser } from "../../lib/session.ts";
import type { CaseDetail, CaseSummary } from "../../lib/types.ts";
import { Loaded, Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { CaseStateTag, SeverityTag, useNow } from "../../ui/tags.tsx";
import { Due } from "../cases/due.tsx";
import { caseQuery, casesQuery } from "../cases/queries.ts";
import { type TaskContext, taskActions } from "./actions.tsx";
import type { Outbox, ParcelState, Photo } from "./outbox.ts";
import { useOnline, useOutbox } from "./use-outbox.ts";

/** Largest photo, bytes; the server's own limit is the last word. */
const PHOTO_BYTES_MAX = 10 * 1024 * 1024;
const NOTE_LENGTH_MAX = 2_000;
/** States in which the task is the worker's to do. */
const TO_DO: ReadonlySet<string> = new Set(["dispatched", "handling"]);

export function Page() {
  const user = useUser();
  const outbox = useOutbox(user?.id ?? 0);
  return outbox ? <Tasks outbox={outbox} /> : <Loading tall />;
}

function Tasks({ outbox }: { outbox: Outbox }) {
  const { t } = useT();
  const online = useOnline();
  const cases = useInfiniteQuery(casesQuery({ mine: true }));
  const items = useMemo(() => cases.data?.pages.flatMap((page) => page.items) ?? [], [cases.data]);
  const todo = items.filter((item) => TO_DO.has(item.state));
  const done = items.filter((item) => !TO_DO.has(item.state) && item.state !== "cancelled");
  const [openId, setOpenId] = useState<number | null>(null);
  const shown = openId ?? todo[0]?.id ?? null;
  // The first task is open at first, and stays so when a newer one comes.
  useEffect(() => {
    if (openId === null && shown !== null) setOpenId(shown);
  }, [openId, shown]);
  const failure = useFailure(cases);
  return (
    <div className="page field">
      <header className="page-head">
        <h1>{t("field.title")}</h1>
      </header>
      {!online && <Alert type="warning" showIcon icon={<WifiOutlined />} title={t("field.offline")} />}
      {failure ? (
        failure
      ) : !cases.data ? (
        <Loading tall />
      ) : (
        <>
          {todo.length === 0 && <Nothing title={t("field.none")} mend={t("field.none-mend")} />}
          <ul className="card-list">
            {todo.map((item) => (
              <li key={item.id}>
                <Task
                  item={item}
                  outbox={outbox}
                  open={item.id === shown}
                  onOpen={() => setOpenId(item.id === shown ? 0 : item.id)}
                />
              </li>
            ))}
          </ul>
          {done.length > 0 && (
            <details className="field-done">
              <summary>
                {t("field.done-section")} ({done.length})
              </summary>
              <ul className="plain-list">
                {done.map((item) => (
                  <li key={item.id}>
                    <CaseStateTag state={item.state} /> {item.title}{" "}
                    <span className="quiet">{item.number}</span>
                  </li>
                ))}
              </ul>
            </details>
          )}
          {cases.hasNextPage && (
            <Button block loading={cases.isFetchingNextPage} onClick={() => void cases.fetchNextPage()}>
              {t("list.more")}
            </Button>
          )}
        </>
      )}
    </div>
  );
}

function Task({
  item,
  outbox,
  open,
  onOpen,
}: {
  item: CaseSummary;
  outbox: Outbox;
  open: boolean;
  onOpen: () => void;
}) {
  return (
    <article className="task" data-case={item.id}>
      <button type="button" className="task-head" onClick={onOpen} aria-expanded={open}>
        <span className="item-card-head">
          {item.severity && <SeverityTag severity={item.severity} />}
          <strong>{item.title}</strong>
          <CaseStateTag state={item.state} />
        </span>
        <span className="quiet">
          {item.number} · <Due item={item} />
        </span>
      </button>
      <SendState state={outbox.state(item.id)} caseId={item.id} outbox={outbox} />
      {open && <TaskBody id={item.id} outbox={outbox} />}
    </article>
  );
}

function TaskBody({ id, outbox }: { id: number; outbox: Outbox }) {
  const found = useQuery(caseQuery(id));
  return <Loaded query={found}>{(item) => <TaskForm item={item} outbox={outbox} />}</Loaded>;
}

function TaskForm({ item, outbox }: { item: CaseDetail; outbox: Outbox }) {
  const { t } = useT();
  const navigate = useNavigate();
  const kept = outbox.parcel(item.id);
  const [note, setNote] = useState(kept?.note ?? "");
  const [photos, setPhotos] = useState<Photo[]>(kept?.photos ?? []);
  const [missing, setMissing] = useState<Key | null>(null);
  const handedOver = kept?.action != null;
  const keep = (nextNote: string, nextPhotos: Photo[]) => {
    setNote(nextNote);
    setPhotos(nextPhotos);
    setMissing(null);
    void outbox.draft(item.id, nextNote, nextPhotos);
  };
  const needs = item.allowed.find((allowed) => allowed.action === "finish")?.needs ?? [];
  const context: TaskContext = {
    item,
    outbox,
    navigate,
    entered: () => {
      const lacking =
        note.trim() === ""
          ? "field.finish-missing"
          : photos.length === 0 && needs.includes("photo")
            ? "field.photo-missing"
            : null;
      setMissing(lacking);
      return lacking === null;
    },
  };
  const mayFinish = item.actions.includes("finish");
  const last = [...item.history].reverse().find((step) => step.note);
  return (
    <div className="task-body">
      {item.description && <p className="prose">{item.description}</p>}
      {last && (
        <p className="quiet prose">
          {last.actor}: {last.note}
        </p>
      )}
      {mayFinish && (
        <>
          <label htmlFor={`note-${item.id}`}>
            <span>{t("field.note")}</span>
            <Input.TextArea
              id={`note-${item.id}`}
              value={note}
              rows={3}
              maxLength={NOTE_LENGTH_MAX}
              disabled={handedOver}
              status={missing === "field.finish-missing" ? "error" : undefined}
              placeholder={t("field.note-hint")}
              onChange={(event) => keep(event.target.value, photos)}
              data-testid="field-note"
            />
          </label>
          {missing && (
            <div className="field-missing" role="alert">
              {t(missing)}
            </div>
          )}
          <Photos photos={photos} disabled={handedOver} onChange={(next) => keep(note, next)} />
        </>
      )}
      <div className="task-actions">
        <ActionBar actions={taskActions} context={context} size="large" />
      </div>
    </div>
  );
}

function Photos({
  photos,
  disabled,
  onChange,
}: {
  photos: Photo[];
  disabled: boolean;
  onChange: (photos: Photo[]) => void;
}) {
  const { t } = useT();
  const { message } = App.useApp();
  const picker = useRef<HTMLInputElement>(null);
  const add = (files: FileList | null) => {
    const taken = [...(files ?? [])];
    const fitting = taken.filter((file) => file.size <= PHOTO_BYTES_MAX);
    if (fitting.length < taken.length)
      message.error(t("field.photo-large", { size: bytes(PHOTO_BYTES_MAX) }));
    if (fitting.length > 0)
      onChange([
        ...photos,
        ...fitting.map((file) => ({
          name: file.name,
          blob: file,
          takenAt: new Date(file.lastModified).toISOString(),
        })),
      ]);
  };
  return (
    <div className="field-photos">
      {photos.map((photo, i) => (
        <Thumbnail
          key={`${photo.name}-${i}`}
          photo={photo}
          onRemove={disabled ? undefined : () => onChange(photos.filter((_, at) => at !== i))}
        />
      ))}
      {!disabled && (
        <button type="button" className="field-photo-add" onClick={() => picker.current?.click()}>
          <CameraOutlined />
          {t("field.photo")}
        </button>
      )}
      <input
        ref={picker}
        type="file"
        accept="image/*"
        capture="environment"
        hidden
        data-testid="field-photo"
        onChange={(event) => {
          add(event.target.files);
          event.target.value = "";
        }}
      />
    </div>
  );
}

function Thumbnail({ photo, onRemove }: { photo: Photo; onRemove?: () => void }) {
  const { t } = useT();
  const [url, setUrl] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(photo.blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [photo.blob]);
  return (
    <figure className="field-photo">
      {url && <img src={url} alt={photo.name} />}
      {photo.sentAs && <span className="field-photo-sent">✓</span>}
      {onRemove && (
        <Button
          size="small"
          shape="circle"
          icon={<CloseOutlined />}
          aria-label={t("field.photo-remove")}
          onClick={onRemove}
        />
      )}
    </figure>
  );
}

/** What became of what was handed over: always visible, never only a passing message. */
function SendState({
  state,
  caseId,
  outbox,
}: {
  state: ParcelState | undefined;
  caseId: number;
  outbox: Outbox;
}) {
  const { t } = useT();
  const { modal } = App.useApp();
  const now = useNow(1_000);
  if (!state) return null;
  if (state.kind === "draft") return <p className="task-state quiet">{t("field.draft")}</p>;
  if (state.kind === "sending") {
    return (
      <p className="task-state" role="status">
        {t("field.sending")}
      </p>
    );
  }
  const discard = () =>
    modal.confirm({
      title: t("field.discard"),
      okText: t("field.discard"),
      cancelText: t("word.cancel"),
      okButtonProps: { danger: true },
      onOk: () => outbox.discard(caseId),
    });
  if (state.kind === "waiting") {
    const seconds = Math.max(0, Math.ceil((state.nextAt - now) / 1_000));
    return (
      <Alert
        type="warning"
        banner
        title={t("field.queued")}
        description={t("field.waiting", { seconds, n: state.attempts + 1 })}
        action={
          <Button size="small" onClick={() => outbox.retryNow()}>
            {t("field.retry")}
          </Button>
        }
      />
    );
  }
  return (
    <Alert
      type="error"
      banner
      title={t("field.refused", { reason: state.reason })}
      action={
        <span className="task-refused">
          <Button size="small" onClick={() => void outbox.reopen(caseId)}>
            {t("state.retry")}
          </Button>
          <Button size="small" danger onClick={discard}>
            {t("field.discard")}
          </Button>
        </span>
      }
    />
  );
}
