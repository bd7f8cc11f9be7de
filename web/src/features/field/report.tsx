/** A problem that nobody has told yet: its class, words, photos and the place; it becomes a case, and goes on like any other. */
import { EnvironmentOutlined, PlusOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Input, Select } from "antd";
import { useRef, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import type { Key } from "../../i18n/words.ts";
import { ActionBar } from "../../lib/actions.tsx";
import { number } from "../../lib/format.ts";
import { can, useUser } from "../../lib/session.ts";
import type { CaseDetail } from "../../lib/types.ts";
import { uuid } from "../../lib/uuid.ts";
import { errorText } from "../../ui/states.tsx";
import { classOptions } from "../cases/classes.ts";
import { caseLimitsQuery, classesQuery, keepCase } from "../cases/queries.ts";
import { reportActions } from "./actions.tsx";
import { Enclosures, LIMITS } from "./enclosures.tsx";
import { type Located, locate } from "./locate.ts";
import { type Enclosure, NEW_CASE, type Outbox } from "./outbox.ts";

export function Report({ outbox }: { outbox: Outbox }) {
  const { t } = useT();
  const user = useUser();
  const [open, setOpen] = useState(outbox.draftOf(NEW_CASE) !== undefined);
  if (!can(user, "case.open")) return null;
  if (!open)
    return (
      <Button block icon={<PlusOutlined />} onClick={() => setOpen(true)} data-testid="field-report">
        {t("field.report")}
      </Button>
    );
  return <ReportForm outbox={outbox} onClose={() => setOpen(false)} />;
}

function ReportForm({ outbox, onClose }: { outbox: Outbox; onClose: () => void }) {
  const { t, p } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const limits = useQuery(caseLimitsQuery).data ?? LIMITS;
  const classes = useQuery(classesQuery);
  const [category, setCategory] = useState<string | null>(null);
  const [place, setPlace] = useState<Located | null>(null);
  const [locating, setLocating] = useState(false);
  const [missing, setMissing] = useState<Key | null>(null);
  // The same in every attempt: however often it arrives, one case is opened.
  const requestId = useRef(uuid());
  const draft = outbox.draftOf(NEW_CASE);
  const note = draft?.note ?? "";
  const enclosures = draft?.enclosures ?? [];
  const latest = useRef({ note, enclosures });
  latest.current = { note, enclosures };
  const keep = (next: Partial<{ note: string; enclosures: Enclosure[] }>) => {
    // What comes late, such as a photo's place, must not undo what was entered meanwhile.
    latest.current = { ...latest.current, ...next };
    setMissing(null);
    void outbox.draft(NEW_CASE, latest.current.note, latest.current.enclosures);
  };
  const find = async () => {
    setLocating(true);
    setPlace(await locate());
    setLocating(false);
  };
  // The button waits for nothing: a photo that was taken here has the place too.
  const photographed = enclosures.find((enclosure) => enclosure.spot)?.spot;
  const spot = place && "spot" in place ? place.spot : photographed;
  const chosen = classes.data?.items.find((of) => of.code === category);
  const context = {
    outbox,
    entered: () => {
      const lacking: Key | null = chosen
        ? note.trim() || enclosures.length > 0
          ? null
          : "field.report-missing"
        : "field.report-class-missing";
      setMissing(lacking);
      if (lacking || !chosen) return null;
      const title = p(chosen.title_zh, chosen.title_en);
      return {
        draft: {
          title,
          category: chosen.code,
          description: note.trim(),
          location: spot ? ([spot.lon, spot.lat] as [number, number]) : undefined,
          severity: "minor" as const,
          request_id: requestId.current,
        },
        // A remark has words.
        remark: note.trim() || title,
        enclosures,
      };
    },
    done: (made: CaseDetail) => {
      requestId.current = uuid();
      keepCase(queryClient, made);
      message.success(t("case.opened", { number: made.number }));
      onClose();
    },
    leave: async () => {
      await outbox.draft(NEW_CASE, "", []);
      onClose();
    },
  };
  return (
    <section
      className="item-card field-report"
      aria-label={t("field.report")}
      data-testid="field-report-form"
    >
      <h2>{t("field.report")}</h2>
      <Select
        value={category}
        loading={classes.isPending}
        status={missing === "field.report-class-missing" || classes.error ? "error" : undefined}
        placeholder={t("case.class")}
        aria-label={t("case.class")}
        notFoundContent={classes.error ? errorText(classes.error, t) : undefined}
        showSearch={{ optionFilterProp: "label" }}
        options={classOptions(classes.data?.items ?? [], p)}
        onChange={(code) => {
          setCategory(code);
          setMissing(null);
        }}
      />
      {chosen && <p className="quiet">{p(chosen.files_zh, chosen.files_en)}</p>}
      <Input.TextArea
        value={note}
        rows={3}
        maxLength={limits.text_chars_max}
        placeholder={t("field.report-hint")}
        aria-label={t("case.description")}
        onChange={(event) => keep({ note: event.target.value })}
        data-testid="field-report-note"
      />
      <Enclosures
        enclosures={enclosures}
        limits={limits}
        wantsSignature={false}
        onChange={(next) => keep({ enclosures: next(latest.current.enclosures) })}
      />
      <div className="field-row">
        <Button icon={<EnvironmentOutlined />} loading={locating} onClick={() => void find()}>
          {t("field.report-locate")}
        </Button>
        <span className="quiet" role="status">
          {spot
            ? t("field.place-accuracy", { metres: number(Math.ceil(spot.accuracy), 0) })
            : t(place ? "field.report-nowhere" : "field.report-place-none")}
        </span>
      </div>
      {missing && (
        <div className="field-missing" role="alert">
          {t(missing)}
        </div>
      )}
      <div className="task-actions">
        <ActionBar actions={reportActions} context={context} size="large" />
      </div>
    </section>
  );
}
