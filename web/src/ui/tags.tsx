/** Small marks used on every page: severity, quality, state, time, copying. */
import { CopyOutlined } from "@ant-design/icons";
import { App, Button, Tag, Tooltip } from "antd";
import { useEffect, useState } from "react";
import { type Translate, useT } from "../i18n/index.tsx";
import { ago, time, ZONE_LABEL } from "../lib/format.ts";
import { type CaseState, isCaseState, type Quality, type Severity } from "../lib/types.ts";

/** One colour per severity, on tags and on the map. */
export const SEVERITY_COLOURS: Record<Severity, string> = {
  info: "#3b82c4",
  minor: "#d9a514",
  major: "#e0701b",
  critical: "#c9252d",
};
export const SEVERITIES: Severity[] = ["critical", "major", "minor", "info"];

export function SeverityTag({ severity }: { severity: Severity }) {
  const { t } = useT();
  return (
    <Tag variant="solid" color={SEVERITY_COLOURS[severity]} style={{ marginInlineEnd: 0 }}>
      {t(`severity.${severity}`)}
    </Tag>
  );
}

const QUALITY_COLOURS: Record<Quality, string> = {
  good: "green",
  unit_assumed: "gold",
  reported: "blue",
  simulated: "purple",
  uncertain: "orange",
  out_of_range: "red",
  corrected: "cyan",
};

export function QualityTag({ quality, hideGood }: { quality: Quality; hideGood?: boolean }) {
  const { t } = useT();
  if (hideGood && quality === "good") return null;
  return (
    <Tag color={QUALITY_COLOURS[quality]} style={{ marginInlineEnd: 0 }}>
      {t(`quality.${quality}`)}
    </Tag>
  );
}

/** The same as a dot, where there is no room for the word: it is told on pointing at it, and to who hears the page. */
export function QualityDot({ quality, silent }: { quality: Quality; silent?: boolean }) {
  const { t } = useT();
  if (quality === "good") return null;
  const word = t(`quality.${quality}`);
  return (
    <span className={`quality-dot quality-${quality}`} title={word}>
      {!silent && <span className="only-heard">{word} </span>}
    </span>
  );
}

const STATE_COLOURS: Record<CaseState, string> = {
  collected: "default",
  filed: "geekblue",
  dispatched: "blue",
  handling: "cyan",
  split: "cyan",
  handled: "gold",
  verified: "lime",
  closed: "green",
  cancelled: "default",
};

/** The state's word; what a pack's own workflow calls it when the pages know none. */
export function stateWord(state: string, t: Translate): string {
  return isCaseState(state) ? t(`case-state.${state}`) : state;
}

export function CaseStateTag({ state }: { state: string }) {
  const { t } = useT();
  return (
    <Tag color={isCaseState(state) ? STATE_COLOURS[state] : "default"} style={{ marginInlineEnd: 0 }}>
      {stateWord(state, t)}
    </Tag>
  );
}

/** Now, again every `everyMs`, for what is shown as an age. */
export function useNow(everyMs = 10_000): number {
  const [now, set] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** A time with its zone; `age` adds how long ago; `bare` leaves the zone to the column's title. */
export function Time({ at, age, bare }: { at: string | null | undefined; age?: boolean; bare?: boolean }) {
  if (!at) return <span className="quiet">—</span>;
  return (
    <time dateTime={at} title={`${time(at)} ${ZONE_LABEL}`} className="time">
      {time(at)}
      {!bare && <span className="quiet"> {ZONE_LABEL}</span>}
      {age && (
        <span className="quiet">
          {" · "}
          <Ago at={at} />
        </span>
      )}
    </time>
  );
}

/** How long ago, as text alone: what is drawn again as time goes by. */
export function Ago({ at }: { at: string }) {
  const { language } = useT();
  return ago(at, useNow(), language);
}

/** How long ago, with the exact time on hover. */
export function Age({ at }: { at: string | null | undefined }) {
  if (!at) return <span className="quiet">—</span>;
  return (
    <Tooltip title={`${time(at)} ${ZONE_LABEL}`}>
      <time dateTime={at}>
        <Ago at={at} />
      </time>
    </Tooltip>
  );
}

/** Copies text; works without the clipboard permission too (plain http on a local network). */
export function CopyButton({ text, label }: { text: string; label?: string }) {
  const { t } = useT();
  const { message } = App.useApp();
  return (
    <Button
      size="small"
      type="text"
      icon={<CopyOutlined />}
      aria-label={label ?? t("word.copy")}
      onClick={async () => {
        await copy(text);
        message.success(t("word.copied"));
      }}
    />
  );
}

async function copy(text: string) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.style.position = "fixed";
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}
