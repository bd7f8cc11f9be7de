/** Charging in figures and words: energy, pseudonyms, spans of days. */
import type { Dayjs } from "dayjs";
import type { Translate } from "../../i18n/index.tsx";
import { number, quantity, time, unitSymbol } from "../../lib/format.ts";
import type { ChargingFigures, ChargingSum } from "../../lib/types.ts";
import { duration } from "../cases/due.tsx";

const WH_OF_KWH = 1_000;
const DAY_MS = 86_400_000;
/** Characters of a pseudonym that are shown. */
const CARD_CHARS = 12;

/** `23.48 kWh`. */
export const energy = (wh: number): string => quantity(wh / WH_OF_KWH, "KWH");

/** The same at a glance: `635.2 kWh`. */
export const energyAbout = (wh: number): string => `${number(wh / WH_OF_KWH, 1)} ${unitSymbol("KWH")}`;

/** To the watt-hour, in a column whose title has the unit: `609.258`. */
export const kwh = (wh: number): string =>
  (wh / WH_OF_KWH).toLocaleString("en-US", { minimumFractionDigits: 3, maximumFractionDigits: 3 });

/** The beginning of a pseudonym. */
export const shortCard = (card: string): string => card.slice(0, CARD_CHARS);

/** How long from one time to another; null where one is missing or they are the wrong way round. */
export function lasted(from: string | null, until: string | null, t: Translate): string | null {
  const seconds = from && until ? (Date.parse(until) - Date.parse(from)) / 1_000 : Number.NaN;
  return seconds >= 0 ? duration(seconds, true, t) : null;
}

/** How a moment is entered; it is one by the city's clock. */
export const MINUTE = "YYYY-MM-DD HH:mm";

/** A moment as it was entered, with the city's zone, wherever the browser stands. */
export const moment = (entered: Dayjs): string => `${entered.format("YYYY-MM-DDTHH:mm")}:00+08:00`;

/** The city's day of a moment, `YYYY-MM-DD`. */
export const dayOf = (at: number): string => time(at).slice(0, 10);

/** So many days before a day. */
export const daysBefore = (day: string, n: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) - n * DAY_MS).toISOString().slice(0, 10);

/** Spans that end today, by how many days before today they begin. */
export const SPANS = { today: 0, week: 6, month: 29 } as const;
export type Choice = keyof typeof SPANS | "own";
export const CHOICES: Choice[] = ["today", "week", "month", "own"];

export interface Span {
  choice: Choice;
  from: string;
  to: string;
}

const DAY = /^\d{4}-\d\d-\d\d$/;
/** Whether a text is a day, `YYYY-MM-DD`. */
export const isDay = (text: string | null): text is string =>
  text !== null && DAY.test(text) && !Number.isNaN(Date.parse(text));

/** The days that an address asks for; today where it does not say, or says it wrongly. */
export function spanOf(parameters: URLSearchParams, today: string): Span {
  const [from, to] = [parameters.get("from"), parameters.get("to")];
  if (isDay(from) && isDay(to) && from <= to) return { choice: "own", from, to };
  const asked = parameters.get("days");
  const choice = asked === "week" || asked === "month" ? asked : "today";
  return { choice, from: daysBefore(today, SPANS[choice]), to: today };
}

/** What sessions come to, by their states. */
export interface Sums {
  sessions: number;
  charging: number;
  waiting: number;
  unpriced: number;
  held: number;
  /** Without what is held: it is in doubt. */
  energy_wh: number;
  /** Of bills that were made. */
  billed_fen: number;
}

const NOTHING: Sums = {
  sessions: 0,
  charging: 0,
  waiting: 0,
  unpriced: 0,
  held: 0,
  energy_wh: 0,
  billed_fen: 0,
};

function add(sums: Sums, { state, sessions, energy_wh, total_fen }: ChargingSum): Sums {
  const of = (wanted: string, before: number) => before + (state === wanted ? sessions : 0);
  return {
    sessions: sums.sessions + sessions,
    charging: of("charging", sums.charging),
    waiting: of("waiting", sums.waiting),
    unpriced: of("unpriced", sums.unpriced),
    held: of("doubtful", sums.held),
    energy_wh: sums.energy_wh + (state === "doubtful" ? 0 : energy_wh),
    billed_fen: sums.billed_fen + (state === "billed" ? total_fen : 0),
  };
}

/** All of them together, and each operator's, the most energy first. */
export function sumsOf({ sums }: Pick<ChargingFigures, "sums">): { all: Sums; operators: [string, Sums][] } {
  const operators = new Map<string, Sums>();
  for (const sum of sums) operators.set(sum.operator, add(operators.get(sum.operator) ?? NOTHING, sum));
  return {
    all: sums.reduce(add, NOTHING),
    operators: [...operators].sort(([, one], [, other]) => other.energy_wh - one.energy_wh),
  };
}
