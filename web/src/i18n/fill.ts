/** A text with its places filled, and which language this device remembers. Without a library: what stands before the program reads it too. */
import type { Language } from "../lib/format.ts";

/** Under which name the language is remembered. */
export const REMEMBERED = "jingling.language";

/** The language that was chosen on this device; Chinese where none was. */
export function remembered(): Language {
  try {
    return localStorage.getItem(REMEMBERED) === "en" ? "en" : "zh";
  } catch {
    return "zh"; // Storage may be forbidden; Chinese is the default.
  }
}

/** As `lang` of a page says it. */
export const langOf = (language: Language) => (language === "zh" ? "zh-CN" : "en");

/** Puts values into the `{places}` of a text; a place without a value stays. */
export function fill(text: string, values?: Record<string, string | number>): string {
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : text;
}
