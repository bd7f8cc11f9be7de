/** How far an import is: what has left this device, then what the server has done of it. */
import { useQuery } from "@tanstack/react-query";
import { Progress } from "antd";
import { useT } from "../../i18n/index.tsx";
import type { ImportProgress } from "../../lib/types.ts";
import { importProgressQuery } from "./queries.ts";

/** A file on its way. */
export interface Sent {
  job: string;
  bytes: number;
  total: number;
}

/** The step and how much of it is done, in percent; null where nobody knows. */
export function stepOf(sent: Sent, told: ImportProgress | null): [ImportProgress["step"], number | null] {
  if (sent.bytes < sent.total) return ["receiving", percent(sent.bytes, sent.total)];
  // What the server says of receiving is older than what was sent.
  if (told === null || told.step === "receiving") return ["receiving", 100];
  return [told.step, percent(told.done, told.total)];
}

function percent(done: number, total: number): number | null {
  return total > 0 ? Math.min(100, Math.floor((done / total) * 100)) : null;
}

export function Doing({ sent }: { sent: Sent }) {
  const { t } = useT();
  const isSent = sent.bytes >= sent.total;
  const told = useQuery({ ...importProgressQuery(sent.job), enabled: isSent }).data ?? null;
  const [step, done] = stepOf(sent, told);
  return (
    <div className="sql-import-doing" data-testid="import-progress">
      <span role="status">{t(`import.step-${step}`)}</span>
      <Progress
        percent={done ?? 100}
        showInfo={done !== null}
        status="active"
        aria-label={t("import.progress")}
      />
    </div>
  );
}
