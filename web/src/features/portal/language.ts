/** The page's language: the one that the console remembers, with the words of this page alone. */
import { useCallback, useEffect, useMemo, useState } from "react";
import { fill, langOf, REMEMBERED, remembered } from "../../i18n/fill.ts";
import { portalWords } from "../../i18n/words/portal.ts";
import { type Language, pick } from "../../lib/format.ts";

type Key = keyof typeof portalWords;

export interface Speech {
  language: Language;
  t: (key: Key, values?: Record<string, string | number>) => string;
  /** The word of the two that fits. */
  p: (zh: string | null | undefined, en: string | null | undefined) => string;
  other: () => void;
}

export function useSpeech(): Speech {
  const [language, set] = useState<Language>(remembered);
  const other = useCallback(() => {
    const next = language === "zh" ? "en" : "zh";
    set(next);
    try {
      localStorage.setItem(REMEMBERED, next);
    } catch {
      // Not remembered, but used.
    }
  }, [language]);
  useEffect(() => {
    document.documentElement.lang = langOf(language);
    document.title = portalWords["portal.title"][language === "zh" ? 0 : 1];
  }, [language]);
  return useMemo(
    () => ({
      language,
      other,
      t: (key, values) => fill(portalWords[key][language === "zh" ? 0 : 1], values),
      p: (zh, en) => pick(language, zh, en),
    }),
    [language, other],
  );
}
