/** Money in whole fen (分), shown and entered as yuan without a rounding on the way. */

/** Digits behind the point of ten thousand yuan, in lists. */
const WAN_DIGITS = 2;
const FEN_OF_WAN = 1_000_000;

/** `12,345.60`: exact. */
export function yuan(fen: number): string {
  const whole = Math.trunc(fen / 100);
  const rest = String(Math.abs(fen % 100)).padStart(2, "0");
  return `${whole.toLocaleString("en-US")}.${rest}`;
}

/** Ten thousand yuan (万元), rounded: for figures at a glance. */
export function wan(fen: number): string {
  return (fen / FEN_OF_WAN).toLocaleString("en-US", { maximumFractionDigits: WAN_DIGITS });
}

/** `12345.6` as it stands in a field. */
export function yuanText(fen: number): string {
  return yuan(fen).replaceAll(",", "").replace(/\.00$/, "");
}

/** Reads yuan with at most two digits behind the point; null when it is none. */
export function fenOf(text: string): number | null {
  const found = /^(\d{1,12})(?:\.(\d{1,2}))?$/.exec(text.trim().replaceAll(",", "").replaceAll("，", ""));
  if (!found) return null;
  return Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0"));
}

/** The part that is paid, in a hundred; null of nothing. */
export function percent(part: number, whole: number): number | null {
  return whole > 0 ? Math.round((part / whole) * 100) : null;
}
