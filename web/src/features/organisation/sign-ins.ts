/** The passwords of new people as a file to hand out (CSV). Pure but for handing it over. */
import type { RosterReport } from "../../lib/types.ts";

const BYTE_ORDER_MARK = "\ufeff";

/** A cell that no spreadsheet runs as a formula. */
function field(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

export function signInsCsv(made: RosterReport["sign_ins"], names: string[]): string {
  const lines = made.map((one) => [one.name, one.username, one.organisation ?? "", one.password]);
  const written = [names, ...lines].map((cells) => `${cells.map(field).join(",")}\r\n`);
  return BYTE_ORDER_MARK + written.join("");
}

/** Hands a text to the person as a file. */
export function download(name: string, text: string) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
