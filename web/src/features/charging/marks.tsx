/** Small marks of charging: how a session or a bill stands, money, a card, a station, the day of a tariff as a bar. */
import { Tag, Tooltip } from "antd";
import { Link } from "react-router";
import { type Translate, useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { can, useUser } from "../../lib/session.ts";
import type { ChargingSession } from "../../lib/types.ts";
import { yuan } from "../projects/money.ts";
import { energy, shortCard } from "./say.ts";
import { clockOf, DAY_MINUTES, type Stretch, type TariffStanding, type WrittenDays } from "./tariff.ts";

const STATE_COLOURS: Record<string, string> = {
  charging: "blue",
  waiting: "cyan",
  unpriced: "gold",
  billed: "green",
  doubtful: "red",
};

const STANDING_COLOURS: Record<string, string> = {
  due: "green",
  held: "red",
  accepted: "blue",
  waived: "default",
};

const TARIFF_COLOURS: Record<TariffStanding, string> = { holds: "green", coming: "blue", past: "default" };

/** The server's word in the reader's language, or as it is. */
const wordOf = (prefix: string, value: string, t: Translate) => {
  const key = keyOf(prefix, value);
  return key ? t(key) : value;
};

export function StateTag({ state }: { state: string }) {
  const { t } = useT();
  return (
    <Tag color={STATE_COLOURS[state]} style={{ marginInlineEnd: 0 }}>
      {wordOf("charging-state", state, t)}
    </Tag>
  );
}

export function StandingTag({ standing }: { standing: string }) {
  const { t } = useT();
  return (
    <Tag color={STANDING_COLOURS[standing]} style={{ marginInlineEnd: 0 }}>
      {wordOf("charging-standing", standing, t)}
    </Tag>
  );
}

export function TariffTag({ standing }: { standing: TariffStanding }) {
  const { t } = useT();
  return (
    <Tag color={TARIFF_COLOURS[standing]} style={{ marginInlineEnd: 0 }}>
      {t(`charging-tariff.${standing}`)}
    </Tag>
  );
}

const INVOICE_COLOURS: Record<string, string> = {
  asked: "gold",
  issued: "green",
  declined: "default",
  reversed: "red",
};

export function InvoiceTag({ state }: { state: string }) {
  const { t } = useT();
  return (
    <Tag color={INVOICE_COLOURS[state]} style={{ marginInlineEnd: 0 }}>
      {wordOf("invoice-state", state, t)}
    </Tag>
  );
}

export function CorrectedTag() {
  const { t } = useT();
  return (
    <Tooltip title={t("charging.corrected-hint")}>
      <Tag color="orange" style={{ marginInlineEnd: 0 }}>
        {t("charging.corrected")}
      </Tag>
    </Tooltip>
  );
}

/** `33.26 yuan`. */
export const money = (fen: number, t: Translate): string => t("charging.yuan", { n: yuan(fen) });

export const operatorWord = (operator: string, t: Translate): string =>
  wordOf("charging-operator", operator, t);

export const eventWord = (kind: string, t: Translate): string => wordOf("charging-event", kind, t);

/** The beginning of a card's pseudonym, whole on pointing at it. */
export function Card({ card }: { card: string | null }) {
  const { t } = useT();
  if (!card) return <span className="quiet">{t("charging.no-card")}</span>;
  return <code title={card}>{shortCard(card)}</code>;
}

export const outletWord = (connector: number, t: Translate): string =>
  connector > 0 ? t("charging.outlet", { n: connector }) : t("charging.outlet-unknown");

/** The thing on the map that an outlet of a station is. */
const entityOf = (station: string, connector: number) =>
  `urn:ngsi-ld:ChargePoint:${station}${connector > 1 ? `:${connector}` : ""}`;

/** A station with the outlet, and the way to it for who may see it. */
export function StationLink({ session }: { session: ChargingSession }) {
  const { t } = useT();
  const user = useUser();
  const { station, connector } = session;
  const words = `${station} · ${outletWord(connector, t)}`;
  if (!can(user, "entity.read")) return <>{words}</>;
  return <Link to={`/entities/${encodeURIComponent(entityOf(station, connector))}`}>{words}</Link>;
}

/** What a session delivered; a meter that went back stands out. */
export function Energy({ wh }: { wh: number }) {
  return <span className={wh < 0 ? "number charging-wrong" : "number"}>{energy(wh)}</span>;
}

/** Hours that are named below the bar. */
const MARKS = [0, 6, 12, 18, 24];

/** The hours of a day as a coloured bar. */
export function DayBar({ stretches }: { stretches: Stretch[] }) {
  const { t } = useT();
  const word = ({ from, until, kind }: Stretch) =>
    `${clockOf(from)}–${clockOf(until)} ${t(`charging-period.${kind}`)}`;
  const label = t("charging.day-label", {
    periods: stretches.map(word).join(t("charging.between")),
  });
  return (
    <div className="charging-day" role="img" aria-label={label}>
      <div className="charging-day-bar">
        {stretches.map((stretch) => (
          <span
            key={stretch.from}
            className={`charging-period charging-period-${stretch.kind}`}
            style={{ width: `${((stretch.until - stretch.from) / DAY_MINUTES) * 100}%` }}
            title={word(stretch)}
          >
            <span>{t(`charging-bar.${stretch.kind}`)}</span>
          </span>
        ))}
      </div>
      <div className="charging-day-hours" aria-hidden="true">
        {MARKS.map((hour) => (
          <span key={hour} style={{ left: `${(hour / 24) * 100}%` }}>
            {clockOf(hour * 60)}
          </span>
        ))}
      </div>
    </div>
  );
}

/** For which days a plan is, in words; the last takes what the others leave. */
export function planWord(
  plan: Pick<WrittenDays, "months" | "kinds">,
  n: number,
  count: number,
  t: Translate,
): string {
  const { months = [], kinds = [] } = plan;
  const words = [
    ...(months.length > 0 ? [t("charging.plan-months", { months: months.join(t("charging.between")) })] : []),
    ...(kinds.length > 0
      ? [kinds.map((kind) => t(`charging-kind.${kind}`)).join(t("charging.between"))]
      : []),
  ];
  if (words.length > 0) return words.join(" · ");
  return t(count > 1 && n > 0 ? "charging.plan-rest" : "charging.plan-all");
}
