/** Hand-overs: what was written, what was open then, and who signed. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, Card, Tag } from "antd";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { useUser } from "../../lib/session.ts";
import type { DutyHandOver } from "../../lib/types.ts";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { type Dialog, handOverActions } from "./actions.tsx";
import { handOversQuery } from "./queries.ts";

function One({ row, open }: { row: DutyHandOver; open: (dialog: Dialog) => void }) {
  const { t, p } = useT();
  const user = useUser();
  const { alerts, cases } = row.attached;
  return (
    <Card
      size="small"
      data-testid="hand-over"
      title={`${row.day} ${p(row.pattern_zh, row.pattern_en)}`}
      extra={row.signed_at === null ? <Tag color="error">{t("duty.not-signed")}</Tag> : null}
    >
      <p className="duty-notes">{row.notes}</p>
      <p>
        {t("duty.outgoing")} {row.outgoing} <Time at={row.written_at} />
      </p>
      {row.signed_at !== null && (
        <p>
          {t("duty.incoming")} {row.incoming} <Time at={row.signed_at} /> {row.remark}
        </p>
      )}
      <details>
        <summary>{t("duty.attached", { alerts: alerts.length, cases: cases.length })}</summary>
        <ul>
          {alerts.map((alert) => (
            <li key={`alert-${alert.id}`}>
              <Link to={`/alerts?alert=${alert.id}`}>{p(alert.title_zh, alert.title_en)}</Link>{" "}
              <Time at={alert.raised_at} />
            </li>
          ))}
          {cases.map((one) => (
            <li key={`case-${one.id}`}>
              <Link to={`/cases/${one.id}`}>
                {one.number} {one.title}
              </Link>{" "}
              {t("duty.due")} <Time at={one.due_at} />
            </li>
          ))}
        </ul>
      </details>
      <ActionBar
        actions={handOverActions}
        context={{ handOver: row, userId: user?.id ?? undefined, open }}
        size="small"
      />
    </Card>
  );
}

export function HandOvers({ organisation, open }: { organisation: string; open: (dialog: Dialog) => void }) {
  const { t } = useT();
  const handOvers = useInfiniteQuery(handOversQuery(organisation));
  const failure = useFailure(handOvers);
  if (failure) return failure;
  if (!handOvers.data) return <Loading tall />;
  const items = handOvers.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <Nothing title={t("duty.hand-overs-none")} />;
  return (
    <div className="stack">
      {items.map((row) => (
        <One key={row.id} row={row} open={open} />
      ))}
      {handOvers.hasNextPage && <Button onClick={() => handOvers.fetchNextPage()}>{t("list.more")}</Button>}
    </div>
  );
}
