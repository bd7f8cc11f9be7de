/** Small marks of runs: how one went, and who asked for it. */
import { Tag } from "antd";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";

const COLOURS: Record<string, string> = {
  done: "green",
  failed: "red",
  running: "blue",
  interrupted: "orange",
};

export function OutcomeTag({ outcome }: { outcome: string }) {
  const { t } = useT();
  const word = keyOf("run-outcome", outcome);
  return (
    <Tag color={COLOURS[outcome] ?? "default"} style={{ marginInlineEnd: 0 }}>
      {word ? t(word) : outcome}
    </Tag>
  );
}

/** A person, or the clock. */
export function AskedBy({ who }: { who: string | null }) {
  const { t } = useT();
  return <>{who ?? t("run.clock")}</>;
}
