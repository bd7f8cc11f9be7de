/** The roles that a person or a post can have, in the reader's words. */
import type { Translate } from "../../i18n/index.tsx";
import { keyOf, words } from "../../i18n/words.ts";

const PREFIX = "role.";
/** Given to a person by name, never by a post: the server refuses it. */
const ADMINISTRATORS = ["admin", "security", "auditor"];

export function roleWord(role: string, t: Translate): string {
  const key = keyOf("role", role);
  return key ? t(key) : role;
}

export function roleOptions(t: Translate, of: "person" | "post") {
  const known = Object.keys(words)
    .filter((key) => key.startsWith(PREFIX))
    .map((key) => key.slice(PREFIX.length));
  return known
    .filter((role) => of === "person" || !ADMINISTRATORS.includes(role))
    .map((value) => ({ value, label: roleWord(value, t) }));
}
