/** The time by which a case must be done, and how much working time is left of it. */
import { Tag } from "antd";
import { useT } from "../../i18n/index.tsx";
import type { CaseSummary } from "../../lib/types.ts";
import { Time, useNow } from "../../ui/tags.tsx";

type Translate = ReturnType<typeof useT>["t"];

/** Whether the case waits for someone and its time is over. A case whose clocks stand is not overdue. */
export function isOverdue(
  item: Pick<CaseSummary, "due_at" | "closed_at" | "suspended_at">,
  now: number,
): boolean {
  return (
    item.due_at !== null &&
    item.closed_at === null &&
    !item.suspended_at &&
    new Date(item.due_at).getTime() < now
  );
}

/** Seconds as days, hours and minutes: the two largest. A day of all hours is 24 of them; working time has no days. */
export function duration(seconds: number, always: boolean, t: Translate): string {
  const minutes = Math.floor(Math.abs(seconds) / 60);
  const hours = Math.floor(minutes / 60);
  const days = always ? Math.floor(hours / 24) : 0;
  const parts = [
    days > 0 ? t("case.days", { n: days }) : null,
    hours - days * 24 > 0 ? t("case.hours", { n: hours - days * 24 }) : null,
    minutes % 60 > 0 ? t("case.minutes", { n: minutes % 60 }) : null,
  ].filter((part) => part !== null);
  return parts.slice(0, 2).join(" ") || t("case.minutes", { n: 0 });
}

/** How much working time is left, as the server counted it. */
export function Left({ item, whole }: { item: CaseSummary; whole?: boolean }) {
  const { t } = useT();
  const left = item.left;
  const seconds = whole ? left?.case_seconds : left?.seconds;
  if (!left || seconds === null || seconds === undefined) return null;
  const always = left.calendar === "always";
  const time = duration(seconds, always, t);
  const unit = always ? "" : ` ${t("case.working-time")}`;
  if (item.suspended_at) return <Tag>{`${t("case.stands")} · ${t("case.left", { time })}${unit}`}</Tag>;
  if (seconds < 0) return <Tag color="red">{`${t("case.over", { time })}${unit}`}</Tag>;
  return <span className="quiet">{`${t("case.left", { time })}${unit}`}</span>;
}

export function Due({ item, bare }: { item: CaseSummary; bare?: boolean }) {
  const { t } = useT();
  const now = useNow();
  if (!item.due_at) return <span className="quiet">—</span>;
  return (
    <span>
      <Time at={item.due_at} bare={bare} />{" "}
      {item.left ? <Left item={item} /> : isOverdue(item, now) && <Tag color="red">{t("case.overdue")}</Tag>}
    </span>
  );
}
