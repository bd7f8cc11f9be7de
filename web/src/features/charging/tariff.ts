/** A tariff as it is written: read for people, and put together from the form. The server checks it. */
import type { ChargingTariff } from "../../lib/types.ts";
import { fenOf } from "../projects/money.ts";

/** The kinds of periods, dearest first. */
export const PERIODS = ["sharp", "peak", "flat", "valley", "deep-valley"] as const;
export type Period = (typeof PERIODS)[number];
/** The kinds of days that the calendar tells apart. */
export const DAY_KINDS = ["workday", "weekend", "holiday"] as const;
export type DayKind = (typeof DAY_KINDS)[number];
export const MONTHS: readonly number[] = Array.from({ length: 12 }, (_, n) => n + 1);

/** Minutes of a day. */
export const DAY_MINUTES = 1_440;

/** Yuan per kWh, as texts. */
export interface WrittenPrice {
  energy: string;
  service?: string;
}

export interface WrittenFee {
  free_minutes?: number;
  unit_minutes: number;
  fen_per_unit: number;
  hours?: string[];
  day_cap_fen?: number | null;
  cap_fen?: number | null;
}

export interface WrittenDays {
  months?: number[];
  kinds?: DayKind[];
  /** `HH:MM-HH:MM period`, together the whole day. */
  hours: string[];
  prices?: Partial<Record<Period, WrittenPrice>>;
}

export interface WrittenVersion {
  id: string;
  first: string;
  last?: string | null;
  source?: string;
  prices?: Partial<Record<Period, WrittenPrice>>;
  days: WrittenDays[];
  parking?: WrittenFee | null;
  idle?: WrittenFee | null;
}

export interface WrittenTariff {
  id: string;
  title_zh: string;
  title_en: string;
  change?: "at-use" | "at-start";
  versions: WrittenVersion[];
}

/** What the description of the API leaves open; the server wrote it from its own type. */
export const writtenOf = ({ tariff }: Pick<ChargingTariff, "tariff">): WrittenTariff =>
  tariff as unknown as WrittenTariff;

/** `08:30` as minutes of the day; null when it is none. */
export function minuteOf(text: string): number | null {
  const found = /^(\d{2}):(\d{2})$/.exec(text.trim());
  if (!found) return null;
  const minute = Number(found[1]) * 60 + Number(found[2]);
  return Number(found[2]) < 60 && minute <= DAY_MINUTES ? minute : null;
}

export const clockOf = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

/** A stretch of the day. */
export interface Stretch {
  from: number;
  until: number;
  kind: Period;
}

/** The stretches of a day, in order; what cannot be read is left out. */
export function stretchesOf({ hours }: Pick<WrittenDays, "hours">): Stretch[] {
  const found = hours.flatMap((text) => {
    const [span = "", name = ""] = text.split(" ");
    const [from, until] = span.split("-").map(minuteOf);
    const kind = PERIODS.find((one) => one === name.trim());
    return typeof from === "number" && typeof until === "number" && kind ? [{ from, until, kind }] : [];
  });
  return found.sort((one, other) => one.from - other.from);
}

/** Neighbours of one kind as one. */
function joined(stretches: readonly Stretch[]): Stretch[] {
  const whole: Stretch[] = [];
  for (const stretch of stretches) {
    const last = whole.at(-1);
    if (last && last.kind === stretch.kind && last.until === stretch.from) last.until = stretch.until;
    else whole.push({ ...stretch });
  }
  return whole;
}

/** The version that holds on a day, else the next one, else the last. */
export function versionOn({ versions }: WrittenTariff, day: string): WrittenVersion | undefined {
  const inOrder = [...versions].sort((one, other) => one.first.localeCompare(other.first));
  const holds = ({ first, last }: WrittenVersion) => first <= day && (!last || day <= last);
  return inOrder.find(holds) ?? inOrder.find(({ first }) => first > day) ?? inOrder.at(-1);
}

/** A period of a plan of a day with its prices and hours. */
export interface Priced {
  kind: Period;
  /** `22:00–24:00`. */
  hours: string[];
  energy: string;
  service: string;
  both: string;
}

const DECIMALS = 4;
const TEN_THOUSANDTHS = 10_000;
const units = (price: string) => Math.round(Number(price) * TEN_THOUSANDTHS);

/** Yuan with four decimals. */
const price = (text: string): string => (units(text) / TEN_THOUSANDTHS).toFixed(DECIMALS);

/** What each period of a plan costs, dearest first. */
export function pricedOf(version: WrittenVersion, days: WrittenDays): Priced[] {
  const stretches = joined(stretchesOf(days));
  return PERIODS.flatMap((kind) => {
    const own = stretches.filter((stretch) => stretch.kind === kind);
    const written = days.prices?.[kind] ?? version.prices?.[kind];
    if (own.length === 0 || !written) return [];
    const service = written.service ?? "0";
    return {
      kind,
      hours: own.map(({ from, until }) => `${clockOf(from)}–${clockOf(until)}`),
      energy: price(written.energy),
      service: price(service),
      both: ((units(written.energy) + units(service)) / TEN_THOUSANDTHS).toFixed(DECIMALS),
    };
  });
}

export type TariffStanding = "holds" | "coming" | "past";

/** How each tariff stands, by number: of those for the same stations the last that has begun holds. */
export function standings(items: readonly ChargingTariff[], now: number): Map<number, TariffStanding> {
  const last = new Map<string, ChargingTariff>();
  const begins = ({ from }: ChargingTariff) => Date.parse(from);
  for (const one of items) {
    const held = last.get(one.station ?? "");
    const isLater =
      !held || begins(one) > begins(held) || (begins(one) === begins(held) && one.number > held.number);
    if (begins(one) <= now && isLater) last.set(one.station ?? "", one);
  }
  return new Map(
    items.map((one) => {
      if (begins(one) > now) return [one.number, "coming"];
      return [one.number, last.get(one.station ?? "") === one ? "holds" : "past"];
    }),
  );
}

/** A fee as it stands in the form. */
export interface FeeEntered {
  free?: number | null;
  unit?: number | null;
  amount?: string;
  from?: string;
  until?: string;
  dayCap?: string;
  cap?: string;
}

/** When a period begins; it lasts to the next. */
export interface HourEntered {
  from: string;
  kind: Period;
}

export type PricesEntered = Partial<Record<Period, WrittenPrice>>;

/** Days that differ from the others, as they stand in the form. */
export interface DaysEntered {
  /** Which of them it is as long as the form is open, whatever its place. */
  key: number;
  months?: number[];
  kinds?: DayKind[];
  hours: HourEntered[];
  /** Whether its prices are its own, and not those of the other days. */
  priced?: boolean;
  prices?: PricesEntered;
}

/** The form of a tariff. */
export interface TariffEntered {
  id: string;
  title_zh: string;
  title_en: string;
  source?: string;
  change?: WrittenTariff["change"];
  /** Of all days that are not among the further ones. */
  hours: HourEntered[];
  prices: PricesEntered;
  /** The first that fits a day holds on it. */
  further?: DaysEntered[];
  parking?: FeeEntered;
  idle?: FeeEntered;
}

/** How many pairs of a month and a kind of day each of the plans gets, and what they leave: the first that fits holds. */
export function shared(plans: readonly Pick<WrittenDays, "months" | "kinds">[]): {
  own: number[];
  left: number;
} {
  const among = <One>(all: readonly One[] | undefined, one: One) => !all?.length || all.includes(one);
  const own = plans.map(() => 0);
  let left = 0;
  for (const month of MONTHS) {
    for (const kind of DAY_KINDS) {
      const n = plans.findIndex(({ months, kinds }) => among(months, month) && among(kinds, kind));
      if (n < 0) left += 1;
      else own[n] = (own[n] ?? 0) + 1;
    }
  }
  return { own, left };
}

/** The day as the form has it, in order, without gaps: the last lasts to midnight. */
export function stretchesEntered(hours: readonly HourEntered[]): Stretch[] {
  const begun = hours.flatMap(({ from, kind }) => {
    const minute = minuteOf(from);
    return minute === null || minute >= DAY_MINUTES ? [] : [{ from: minute, kind }];
  });
  begun.sort((one, other) => one.from - other.from);
  return begun
    .map(({ from, kind }, n) => ({ from, until: begun[n + 1]?.from ?? DAY_MINUTES, kind }))
    .filter(({ from, until }) => until > from);
}

function fee(entered: FeeEntered | undefined): WrittenFee | null {
  if (!entered) return null;
  const money = (text: string | undefined) => (text ? fenOf(text) : null);
  return {
    free_minutes: entered.free ?? 0,
    unit_minutes: entered.unit ?? 1,
    fen_per_unit: money(entered.amount) ?? 0,
    hours: entered.from && entered.until ? [`${entered.from}-${entered.until}`] : [],
    day_cap_fen: money(entered.dayCap),
    cap_fen: money(entered.cap),
  };
}

/** The periods that a day has, dearest first. */
export const usedOf = (hours: readonly Partial<HourEntered>[] | undefined): Period[] =>
  PERIODS.filter((kind) => hours?.some((row) => row?.kind === kind));

const pricesOf = (used: readonly Period[], entered: PricesEntered | undefined): PricesEntered =>
  Object.fromEntries(
    used.map((kind) => {
      const { energy = "", service } = entered?.[kind] ?? {};
      return [kind, { energy: energy.trim(), service: service?.trim() || "0" }];
    }),
  );

const hoursOf = (hours: readonly HourEntered[]): string[] =>
  joined(stretchesEntered(hours)).map(
    ({ from, until, kind }) => `${clockOf(from)}-${clockOf(until)} ${kind}`,
  );

/** The tariff that the form stands for; it has one version, which begins on the day on which it is put in force. */
export function drafted(entered: TariffEntered, firstDay: string): WrittenTariff {
  const further = entered.further ?? [];
  const days: WrittenDays[] = further.map(({ months = [], kinds = [], hours, priced, prices }) => ({
    ...(months.length > 0 && { months }),
    ...(kinds.length > 0 && { kinds }),
    hours: hoursOf(hours),
    ...(priced && { prices: pricesOf(usedOf(hours), prices) }),
  }));
  // The server takes no plan for which no day is left.
  const hasRest = shared(further).left > 0;
  if (hasRest) days.push({ hours: hoursOf(entered.hours) });
  const alike = [
    ...(hasRest ? entered.hours : []),
    ...further.flatMap((one) => (one.priced ? [] : one.hours)),
  ];
  return {
    id: entered.id.trim(),
    title_zh: entered.title_zh.trim(),
    title_en: entered.title_en.trim(),
    ...(entered.change && { change: entered.change }),
    versions: [
      {
        id: firstDay,
        first: firstDay,
        source: entered.source?.trim() ?? "",
        prices: pricesOf(usedOf(alike), entered.prices),
        days,
        parking: fee(entered.parking),
        idle: fee(entered.idle),
      },
    ],
  };
}

/** How a fee stands in the form. */
function feeEntered(fee: WrittenFee | null | undefined): FeeEntered | undefined {
  if (!fee) return undefined;
  const [from, until] = fee.hours?.[0]?.split("-") ?? [];
  const yuan = (fen: number | null | undefined) =>
    fen === null || fen === undefined ? undefined : String(fen / 100);
  return {
    free: fee.free_minutes ?? 0,
    unit: fee.unit_minutes,
    amount: yuan(fee.fen_per_unit),
    from,
    until,
    dayCap: yuan(fee.day_cap_fen),
    cap: yuan(fee.cap_fen),
  };
}

const hoursEntered = (plan: WrittenDays): HourEntered[] =>
  stretchesOf(plan).map(({ from, kind }) => ({ from: clockOf(from), kind }));

/** A plan before the last as the form has it: its prices are its own where one of them is another than on the other days. */
function daysEntered(
  plan: WrittenDays,
  key: number,
  version: WrittenVersion,
  rest: PricesEntered,
): DaysEntered {
  const { months = [], kinds = [] } = plan;
  const prices: PricesEntered = { ...version.prices, ...plan.prices };
  const hours = hoursEntered(plan);
  const said = (price: WrittenPrice | undefined) =>
    price && [units(price.energy), units(price.service ?? "0")].join();
  const priced = usedOf(hours).some((kind) => said(prices[kind]) !== said(rest[kind]));
  return { key, months, kinds, hours, priced, ...(priced && { prices }) };
}

/** What the form begins with: the tariff that holds; a plain day where there is none. */
export function begunWith(held: WrittenTariff | undefined, day: string): TariffEntered {
  const version = held && versionOn(held, day);
  // Whatever its own months and kinds are, it gets the days that those before it leave.
  const rest = version?.days.at(-1);
  if (!held || !version || !rest) {
    return { id: "", title_zh: "", title_en: "", hours: [{ from: "00:00", kind: "flat" }], prices: {} };
  }
  const prices: PricesEntered = { ...version.prices, ...rest.prices };
  return {
    id: held.id,
    title_zh: held.title_zh,
    title_en: held.title_en,
    source: version.source ?? "",
    change: held.change,
    hours: hoursEntered(rest),
    prices,
    further: version.days.slice(0, -1).map((plan, n) => daysEntered(plan, n, version, prices)),
    parking: feeEntered(version.parking),
    idle: feeEntered(version.idle),
  };
}

/** Whether the form can say all of a tariff. */
export const isPlain = (held: WrittenTariff, day: string): boolean => {
  const version = versionOn(held, day);
  const single = (fee: WrittenFee | null | undefined) => (fee?.hours?.length ?? 0) <= 1;
  const isLast = !held.versions.some(({ first }) => version && first > version.first);
  return isLast && single(version?.parking) && single(version?.idle);
};
