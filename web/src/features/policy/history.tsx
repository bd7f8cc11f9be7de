/** The versions of the city's policies: who changed them, when and why, and in which lines. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, Card, Collapse, Tag } from "antd";
import { useT } from "../../i18n/index.tsx";
import type { PolicyTexts } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { difference, nearChanges } from "./diff.ts";
import { versionsQuery } from "./queries.ts";

export function History() {
  const { t } = useT();
  const versions = useInfiniteQuery(versionsQuery);
  const more = versions.hasNextPage && (
    <Button loading={versions.isFetchingNextPage} onClick={() => void versions.fetchNextPage()}>
      {t("list.more")}
    </Button>
  );
  return (
    <Card size="small" title={t("policy.history")}>
      <Loaded query={versions}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (items.length === 0) return <Nothing title={t("policy.history-none")} />;
          return (
            <>
              <Collapse
                size="small"
                destroyOnHidden
                items={items.map((version, n) => {
                  // Before the first there was nothing; before the oldest of those read there is one to be read.
                  const before = items[n + 1]?.documents ?? (versions.hasNextPage ? null : {});
                  return {
                    key: version.version,
                    label: (
                      <span className="policy-head" data-testid="policy-version">
                        <Tag>{t("policy.version", { version: version.version })}</Tag>
                        <span>{version.reason}</span>
                        <span className="quiet">
                          {version.changed_by} · <Time at={version.at} />
                        </span>
                      </span>
                    ),
                    children: before ? (
                      <Difference before={before} after={version.documents} />
                    ) : (
                      <Nothing title={t("policy.history-older")} action={more} />
                    ),
                  };
                })}
              />
              {more && <div className="more">{more}</div>}
            </>
          );
        }}
      </Loaded>
    </Card>
  );
}

const MARKS = { same: " ", gone: "−", new: "+" } as const;

/** What is new, changed and gone, document by document. */
export function Difference({ before, after }: { before: PolicyTexts; after: PolicyTexts }) {
  const { t } = useT();
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const changed = names.filter((name) => before[name] !== after[name]);
  return changed.map((name) => {
    const state = name in before ? (name in after ? "changed" : "gone") : "new";
    const lines = nearChanges(difference(before[name] ?? "", after[name] ?? ""));
    return (
      <div key={name}>
        <code>{name}</code> <span className="quiet">{t(`policy-document.${state}`)}</span>
        <pre className="raw policy-diff" data-testid="policy-diff">
          {lines.map((line, n) => (
            <div key={n} className={`policy-line-${line.kind}`}>
              {line.kind === "skipped"
                ? `⋯ ${t("policy.skipped", { n: line.count })}`
                : `${MARKS[line.kind]} ${line.text}`}
            </div>
          ))}
        </pre>
      </div>
    );
  });
}
