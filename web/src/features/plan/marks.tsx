/** Marks of an indicator: status, method, the bar with the expected place. Plain elements: a plan shows hundreds of them at once. */
import "./plan.css";
import { useT } from "../../i18n/index.tsx";
import { number } from "../../lib/format.ts";
import type { Indicator, IndicatorStatus } from "../../lib/types.ts";
import { STATUS_COLOURS } from "./list.ts";
import { expectedProgress, progress } from "./progress.ts";

export function StatusTag({ status }: { status: IndicatorStatus }) {
  const { t } = useT();
  return (
    <span className="plan-mark plan-status" data-status={status}>
      {t(`plan.status-${status}`)}
    </span>
  );
}

export function MethodTag({ method }: { method: Indicator["method"] }) {
  const { t } = useT();
  return (
    <span className="plan-mark plan-method" data-method={method}>
      {t(`plan.method-${method}`)}
    </span>
  );
}

/** A figure with its unit; the unit may be empty. */
export function Figure({ value, unit, strong }: { value: number | null; unit: string; strong?: boolean }) {
  if (value === null) return <span className="quiet">—</span>;
  return (
    <span className="number plan-figure">
      {strong ? <strong>{number(value)}</strong> : number(value)}
      {unit && <span className="quiet"> {unit}</span>}
    </span>
  );
}

/** The target; both ends where the plan gives a range. */
export function Target({ indicator }: { indicator: Indicator }) {
  const { p } = useT();
  const unit = p(indicator.unit_zh, indicator.unit_en);
  if (indicator.target_low === indicator.target_high) return <Figure value={indicator.target} unit={unit} />;
  return (
    <span className="number plan-figure">
      {number(indicator.target_low)}–{number(indicator.target_high)}
      {unit && <span className="quiet"> {unit}</span>}
    </span>
  );
}

export function PathBar({ indicator }: { indicator: Indicator }) {
  const { t, p } = useT();
  const done = progress(indicator);
  const expected = expectedProgress(indicator);
  const unit = p(indicator.unit_zh, indicator.unit_en);
  const said =
    indicator.expected_now === null
      ? null
      : t("plan.expected", { value: `${number(indicator.expected_now)} ${unit}`.trim() });
  return (
    <div
      className="path-bar"
      role="progressbar"
      title={said ?? undefined}
      aria-label={t("plan.progress")}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={done === null ? undefined : Math.round(done * 100)}
      aria-valuetext={said ?? undefined}
    >
      {done !== null && (
        <div
          className="path-bar-done"
          style={{ width: `${done * 100}%`, background: STATUS_COLOURS[indicator.status] }}
        />
      )}
      {expected !== null && <div className="path-bar-expected" style={{ left: `${expected * 100}%` }} />}
    </div>
  );
}
