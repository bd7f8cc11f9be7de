/** The language of the pages: Chinese first, English on request, remembered on this device. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { type Language, pick } from "../lib/format.ts";
import { fill, langOf, REMEMBERED, remembered } from "./fill.ts";
import { type Key, words } from "./words.ts";

export interface Translate {
  (key: Key, values?: Record<string, string | number>): string;
  /** Which language it speaks. */
  readonly language: Language;
}

interface Words {
  language: Language;
  setLanguage: (language: Language) => void;
  t: Translate;
  /** The word of the two that fits the language. */
  p: (zh: string | null | undefined, en: string | null | undefined) => string;
}

export function translator(language: Language): Translate {
  const column = language === "zh" ? 0 : 1;
  const translate = (key: Key, values?: Record<string, string | number>) => fill(words[key][column], values);
  return Object.assign(translate, { language });
}

const Context = createContext<Words | null>(null);

export function LanguageProvider({ children, initial }: { children: ReactNode; initial?: Language }) {
  const [language, set] = useState<Language>(initial ?? remembered);
  const setLanguage = useCallback((next: Language) => {
    set(next);
    try {
      localStorage.setItem(REMEMBERED, next);
    } catch {
      // Not remembered, but used.
    }
  }, []);
  useEffect(() => {
    document.documentElement.lang = langOf(language);
  }, [language]);
  const value = useMemo<Words>(
    () => ({
      language,
      setLanguage,
      t: translator(language),
      p: (zh, en) => pick(language, zh, en),
    }),
    [language, setLanguage],
  );
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useT(): Words {
  const value = useContext(Context);
  if (!value) throw new Error("useT outside LanguageProvider");
  return value;
}
