/** Numbers, times and units as people read them. Times are shown in the city's zone, always named. */
import type { Problem, ViewChoice } from "./types.ts";

export type Language = "zh" | "en";

/** The zone that every time on a page is shown in. */
export const ZONE = "Asia/Shanghai";
/** What stands beside a time, so that nobody has to guess. */
export const ZONE_LABEL = "UTC+8";

/** UN/CEFACT common code → the symbol that people write. */
const SYMBOLS: Record<string, string> = {
  MTR: "m",
  CMT: "cm",
  MMT: "mm",
  KMT: "km",
  MTK: "m²",
  KMK: "km²",
  MTQ: "m³",
  HMQ: "10⁶ m³",
  H19: "hm³",
  LTR: "L",
  MQS: "m³/s",
  MTS: "m/s",
  KMH: "km/h",
  CEL: "°C",
  KEL: "K",
  FAH: "°F",
  P1: "%",
  C62: "",
  PAL: "Pa",
  A97: "hPa",
  KPA: "kPa",
  MPA: "MPa",
  WTT: "W",
  KVA: "kVA",
  KWT: "kW",
  MAW: "MW",
  WHR: "Wh",
  KWH: "kWh",
  JOU: "J",
  VLT: "V",
  AMP: "A",
  "4K": "mA",
  OHM: "Ω",
  B49: "kΩ",
  B75: "MΩ",
  HTZ: "Hz",
  SEC: "s",
  MIN: "min",
  HUR: "h",
  DAY: "d",
  ANN: "a",
  GQ: "µg/m³",
  GP: "mg/m³",
  M1: "mg/L",
  Q30: "pH",
  D10: "S/m",
  NTU: "NTU",
  "2N": "dB",
  DBM: "dBm",
  DD: "°",
  "4L": "Mbit",
  E20: "Mbit/s",
  B80: "Gbit/s",
  E84: "Tbit/s",
};

/** The symbol of a unit code; an unknown code is shown as it is. */
export function unitSymbol(code: string | null | undefined): string {
  if (!code) return "";
  return SYMBOLS[code] ?? code;
}

/** One for each count of decimals: making one takes a hundred times as long as writing a number with it. */
const numbers = new Map<number, Intl.NumberFormat>();

/** A number with at most `digits` decimals, grouped by thousands. */
export function number(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return "—";
  const size = Math.abs(value);
  const shown = size >= 1_000 ? Math.min(digits, 1) : digits;
  let format = numbers.get(shown);
  if (!format) {
    format = new Intl.NumberFormat("en-US", { maximumFractionDigits: shown });
    numbers.set(shown, format);
  }
  return format.format(value);
}

/** Any attribute value as one line of text. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return "—";
  if (typeof value === "number") return number(value);
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "✓" : "✗";
  const channels = channelsText(value);
  if (channels !== null) return channels;
  if (isPoint(value)) return `${value.coordinates[0].toFixed(5)}°, ${value.coordinates[1].toFixed(5)}°`;
  return JSON.stringify(value);
}

/** A value and its unit. */
export function quantity(value: unknown, unit?: string | null): string {
  const symbol = unitSymbol(unit);
  return symbol && value !== null && value !== undefined ? `${valueText(value)} ${symbol}` : valueText(value);
}

/**
 * A value of an attribute as people read it: the pack's word where it has one (灭 for `off`), else the value and its unit. Words
 * of a yes or no are those of `true` and `false`.
 */
export function attributeText(
  language: Language,
  value: unknown,
  unit: string | null | undefined,
  words: readonly ViewChoice[] | undefined,
): string {
  const stored = typeof value === "boolean" ? String(value) : value;
  const word = words?.find((each) => each.value === stored);
  return word ? pick(language, word.title_zh, word.title_en) : quantity(value, unit);
}

/**
 * How gates, pumps or valves stand, one after another, as doors of devices say it: `3 × 0.5 m`, `0.5 · 0 · 0 m`, `✓ ✗ ✗`; null
 * for any other value.
 */
function channelsText(value: unknown): string | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  if (value.every((one) => typeof one === "boolean")) return value.map((one) => valueText(one)).join(" ");
  if (!value.every((one) => typeof one?.opening_cm === "number")) return null;
  const metres = value.map((one) => number(one.opening_cm / 100));
  const all = new Set(metres).size === 1 ? `${metres.length} × ${metres[0]}` : metres.join(" · ");
  return `${all} m`;
}

function isPoint(value: unknown): value is { coordinates: [number, number] } {
  if (typeof value !== "object" || value === null) return false;
  const place = value as { type?: unknown; coordinates?: unknown };
  return (
    place.type === "Point" &&
    Array.isArray(place.coordinates) &&
    place.coordinates.length >= 2 &&
    place.coordinates.every((c) => typeof c === "number")
  );
}

const clock = /* @__PURE__ */ new Intl.DateTimeFormat("sv-SE", {
  timeZone: ZONE,
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

/** `2026-11-23 22:05:22` in the city's zone; `—` when there is no time. */
export function time(iso: string | number | null | undefined): string {
  if (iso === null || iso === undefined) return "—";
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "—";
  return clock.format(date).replace(",", "");
}

/** The hour and minute of a time in the city's zone, with the day when it is not today. */
export function shortTime(iso: string | number, now: number): string {
  const whole = time(iso);
  return whole.slice(0, 10) === time(now).slice(0, 10) ? whole.slice(11, 16) : whole.slice(5, 16);
}

/** How long ago, in one unit: `12 秒前`, `3 min ago`; a time ahead reads `… 后` / `in …`. */
export function ago(iso: string, now: number, language: Language): string {
  const exact = Math.round((now - new Date(iso).getTime()) / 1000);
  if (Number.isNaN(exact)) return "—";
  // Clocks differ a little, and `now` is some seconds old: what lies just ahead is now.
  const seconds = exact < 0 && exact > -30 ? 0 : exact;
  const size = Math.abs(seconds);
  const [amount, zh, en] =
    size < 60
      ? [size, "秒", "s"]
      : size < 3_600
        ? [Math.round(size / 60), "分钟", "min"]
        : size < 86_400
          ? [Math.round(size / 3_600), "小时", "h"]
          : [Math.round(size / 86_400), "天", "d"];
  if (language === "zh") return `${amount} ${zh}${seconds >= 0 ? "前" : "后"}`;
  return seconds >= 0 ? `${amount} ${en} ago` : `in ${amount} ${en}`;
}

/** Bytes in the nearest unit. */
export function bytes(size: number): string {
  if (size < 1_024) return `${size} B`;
  if (size < 1_048_576) return `${(size / 1_024).toFixed(1)} KiB`;
  return `${(size / 1_048_576).toFixed(1)} MiB`;
}

/** JSON laid out over lines when it is JSON, else the text as it is. */
export function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Sixteen bytes a line: offset, hexadecimal, printable characters. */
export function hexDump(base64: string, bytesMax = 65_536): string {
  const binary = atob(base64);
  const lines: string[] = [];
  for (let at = 0; at < Math.min(binary.length, bytesMax); at += 16) {
    const part = binary.slice(at, at + 16);
    const hex = Array.from(part, (c) => c.charCodeAt(0).toString(16).padStart(2, "0"));
    const plain = Array.from(part, (c) => (c >= " " && c <= "~" ? c : "·")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex.join(" ").padEnd(47)}  ${plain}`);
  }
  if (binary.length > bytesMax) lines.push(`… ${binary.length - bytesMax} B`);
  return lines.join("\n");
}

/** One of two words, by language; falls back to the other when one is missing. */
export function pick(
  language: Language,
  zh: string | null | undefined,
  en: string | null | undefined,
): string {
  return (language === "zh" ? zh || en : en || zh) ?? "";
}

/**
 * The half of a text that says the same twice, Chinese first, with ` / ` or ` · ` between, as devices and the
 * platform's own notes do; the whole text when it is not of that kind.
 */
export function half(language: Language, text: string): string {
  const both = /^(.*[\u3400-\u9fff].*?) [/·] ([^\u3400-\u9fff]+)$/s.exec(text);
  return both?.[1] && both[2] ? (language === "zh" ? both[1] : both[2]) : text;
}

/** A problem in one line, for places that have only one. */
export function problemLine(problem: Problem): string {
  return [problem.what, problem.place && `@ ${problem.place}`].filter(Boolean).join(" ");
}
