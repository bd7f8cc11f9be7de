/** The roster of a month: shifts, and who has which on which day. */
import { useQuery } from "@tanstack/react-query";
import { DatePicker, Table, Tag } from "antd";
import dayjs from "dayjs";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import type { DutyTurn } from "../../lib/types.ts";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Time, useNow } from "../../ui/tags.tsx";
import { type PageContext, rosterActions, turnActions } from "./actions.tsx";
import { rosterQuery } from "./queries.ts";

const DAY = "YYYY-MM-DD";

/** That nobody will come, and why. */
export function Open({ turn }: { turn: DutyTurn }) {
  const { t } = useT();
  return turn.open ? (
    <Tag color="error" data-testid="duty-open">
      {t(turn.open === "closed" ? "duty.open-closed" : "duty.open-left")}
    </Tag>
  ) : null;
}

export function Roster({ organisation, context }: { organisation: string; context: PageContext }) {
  const { t, p } = useT();
  const now = useNow();
  const [month, setMonth] = useState(() => dayjs().startOf("month"));
  const days = { from: month.format(DAY), until: month.endOf("month").format(DAY) };
  const roster = useQuery(rosterQuery(organisation, days.from, days.until));
  const failure = useFailure(roster);
  const turns = roster.data?.turns ?? [];
  const shifts = (roster.data?.patterns ?? []).filter((pattern) => !pattern.disabled);
  return (
    <>
      <div className="duty-bar">
        <DatePicker
          picker="month"
          allowClear={false}
          aria-label={t("duty.days")}
          value={month}
          onChange={(value) => value && setMonth(value.startOf("month"))}
        />
        <span className="quiet">
          {shifts.map((one) => `${p(one.title_zh, one.title_en)} ${one.from}–${one.until}`).join(" · ")}
        </span>
        <span className="grow" />
        <ActionBar actions={rosterActions} context={{ ...context, days }} />
      </div>
      {failure ??
        (!roster.data ? (
          <Loading tall />
        ) : turns.length === 0 ? (
          <Nothing title={t("duty.no-roster")} mend={t("duty.no-roster-mend")} />
        ) : (
          <Table<DutyTurn>
            size="small"
            rowKey="id"
            className="tabular"
            dataSource={turns}
            pagination={false}
            scroll={{ x: 820 }}
            rowClassName={(turn) => (turn.open ? "duty-open" : "")}
            onRow={() => ({ "data-testid": "duty-turn" }) as React.HTMLAttributes<HTMLElement>}
            columns={[
              { title: t("duty.day"), width: 120, dataIndex: "day" },
              {
                title: t("duty.shift"),
                width: 120,
                render: (_, turn) => p(turn.pattern_zh, turn.pattern_en),
              },
              { title: t("duty.post"), width: 140, dataIndex: "post" },
              {
                title: t("duty.person"),
                render: (_, turn) => (
                  <>
                    {turn.user_name} <Open turn={turn} />
                    {turn.swaps.map((swap) => (
                      <div key={swap.at} className="quiet">
                        {t("duty.swapped", { from: swap.from_name, to: swap.to_name, reason: swap.reason })}
                      </div>
                    ))}
                  </>
                ),
              },
              {
                title: t("duty.time"),
                width: 300,
                render: (_, turn) => (
                  <>
                    <Time at={turn.from} bare /> – <Time at={turn.until} />
                  </>
                ),
              },
              {
                title: t("word.operations"),
                width: 190,
                render: (_, turn) => (
                  <div className="duty-acts">
                    <ActionBar
                      actions={turnActions}
                      context={{ turn, now, open: context.open }}
                      size="small"
                    />
                  </div>
                ),
              },
            ]}
          />
        ))}
    </>
  );
}
