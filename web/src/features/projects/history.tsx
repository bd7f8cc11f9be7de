/** What became of a project (变更历史): who changed which part when, with what differed before and afterwards. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Button, Card } from "antd";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import type { ProjectHistoryEntry } from "../../lib/types.ts";
import { Loaded } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { changeLines, type Said, sectionWord } from "./history-words.ts";
import { historyQuery } from "./queries.ts";

/** How many changes are shown at first, and how many more at a time. */
const STEP = 10;

export function History({ project }: { project: string }) {
  const { t, p } = useT();
  const [limit, setLimit] = useState(STEP);
  const found = useQuery({ ...historyQuery(project, limit), placeholderData: keepPreviousData });
  return (
    <Card size="small" title={t("project-history.title")} data-testid="project-history">
      <Loaded query={found}>
        {({ items, next, organisations }) => {
          const unit = (id: string) => {
            const known = organisations.find((one) => one.id === id);
            return known ? p(known.name_zh, known.name_en) : id;
          };
          return items.length === 0 ? (
            <span className="quiet">{t("project-history.none")}</span>
          ) : (
            <>
              <ul className="project-rows">
                {items.map((entry) => (
                  <li key={entry.id}>
                    <Entry entry={entry} said={{ t, unit }} />
                  </li>
                ))}
              </ul>
              {next && (
                <Button
                  size="small"
                  onClick={() => setLimit(limit + STEP)}
                  data-testid="project-history-more"
                >
                  {t("project-history.more")}
                </Button>
              )}
            </>
          );
        }}
      </Loaded>
    </Card>
  );
}

function Entry({ entry, said }: { entry: ProjectHistoryEntry; said: Said }) {
  const { t } = said;
  const who = (
    <span className="quiet">
      {entry.by} · <Time at={entry.at} />
    </span>
  );
  if (entry.kind !== "changed") {
    return (
      <>
        <strong>{t(`project-history.${entry.kind}`, { why: entry.reason })}</strong>
        {who}
      </>
    );
  }
  const sides = [
    { mark: t("project-history.before"), lines: changeLines(entry.section, entry.old, said), Line: "del" },
    { mark: t("project-history.after"), lines: changeLines(entry.section, entry.new, said), Line: "ins" },
  ] as const;
  const isMoved = sides.every(({ lines }) => lines.length === 0);
  return (
    <>
      <strong>{sectionWord(entry, t)}</strong>
      {who}
      <ul className="project-history-change">
        {isMoved && <li className="quiet">{t("project-history.order")}</li>}
        {sides.flatMap(({ mark, lines, Line }) =>
          lines.map((line, n) => (
            <li key={`${mark} ${n} ${line}`}>
              <span className="quiet">{mark}</span>
              <Line>{line}</Line>
            </li>
          )),
        )}
      </ul>
    </>
  );
}
