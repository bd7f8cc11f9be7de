/** The time by which a case must be done, and whether it is past. */
import { Tag } from "antd";
import { useT } from "../../i18n/index.tsx";
import { ago } from "../../lib/format.ts";
import type { CaseSummary } from "../../lib/types.ts";
import { Time, useNow } from "../../ui/tags.tsx";

const OPEN_STATES = new Set(["collected", "filed", "dispatched", "handling"]);

/** Whether the case waits for someone and its time is over. */
export function isOverdue(item: Pick<CaseSummary, "due_at" | "state">, now: number): boolean {
  return item.due_at !== null && OPEN_STATES.has(item.state) && new Date(item.due_at).getTime() < now;
}

export function Due({ item, bare }: { item: CaseSummary; bare?: boolean }) {
  const { t, language } = useT();
  const now = useNow();
  if (!item.due_at) return <span className="quiet">—</span>;
  return (
    <span>
      <Time at={item.due_at} bare={bare} />{" "}
      {isOverdue(item, now) ? (
        <Tag color="red">{t("case.overdue")}</Tag>
      ) : (
        OPEN_STATES.has(item.state) && <span className="quiet">· {ago(item.due_at, now, language)}</span>
      )}
    </span>
  );
}
