/** Figures of what went wrong, which stand on two pages: outlets out of order, and what was told of them or was not. */
import { useT } from "../../i18n/index.tsx";
import { number } from "../../lib/format.ts";
import type { ChargingSupervision } from "../../lib/types.ts";
import { duration } from "../cases/due.tsx";
import { Figure, percent } from "./parts.tsx";

/** How often and how long outlets were out of order, and how soon they were mended. */
export function OutOfOrder({ found }: { found: ChargingSupervision }) {
  const { t } = useT();
  const all = found.overall;
  const lasting = (seconds: number) => duration(seconds, true, t);
  return (
    <>
      <Figure
        title={t("supervision.faults")}
        how="faults"
        found={found}
        wrong={all.faulted > 0}
        of={t("supervision.faults-of", { time: lasting(all.fault_seconds), now: number(all.faulted) })}
      >
        {number(all.faults)}
      </Figure>
      <Figure
        title={t("supervision.repair")}
        how="repair"
        found={found}
        of={t("supervision.repair-of", { n: number(all.repairs) })}
      >
        {typeof all.repair_mean_seconds === "number" ? lasting(all.repair_mean_seconds) : "—"}
      </Figure>
    </>
  );
}

/** Days of which nothing was heard, and charges that were told in part. */
export function Unheard({ found }: { found: ChargingSupervision }) {
  const { t } = useT();
  const all = found.overall;
  return (
    <>
      <Figure
        title={t("supervision.missing")}
        how="missing"
        found={found}
        of={t("supervision.missing-of", { missing: number(all.days_missing), days: number(all.days) })}
      >
        {percent(all.missing_rate)}
      </Figure>
      <Figure
        title={t("supervision.incomplete")}
        how="incomplete"
        found={found}
        of={t("supervision.incomplete-of", {
          energy: number(all.without_energy),
          time: number(all.without_time),
          card: number(all.without_card),
        })}
      >
        {percent(all.incomplete_rate)}
      </Figure>
    </>
  );
}
