/** Settlement (清分): whose is what of a month, operator by operator, whether it is settled, and settling it. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Table, Tag } from "antd";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { download } from "../../lib/download.ts";
import { number, ZONE_LABEL } from "../../lib/format.ts";
import type { ChargingSettlement, ChargingStatement } from "../../lib/types.ts";
import { errorText, Loaded, Nothing } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { yuan } from "../projects/money.ts";
import { money, operatorWord } from "./marks.tsx";
import { settlementActions } from "./money-actions.tsx";
import { ChosenMonth, useMonth } from "./month.tsx";
import { ROOM, settle, settlementPath, settlementQuery } from "./queries.ts";
import { kwh } from "./say.ts";

/** How long an error stays, seconds: it says what, where and the mend. */
const ERROR_S = 6;

export function Settlement() {
  const month = useMonth();
  const found = useQuery(settlementQuery(month));
  return (
    <>
      <div className="charging-span">
        <ChosenMonth month={month} />
      </div>
      <Loaded query={found} tall>
        {(settlement) => <Month settlement={settlement} />}
      </Loaded>
    </>
  );
}

/** What of a share of 1/10,000 a hundred has: `12.5 %`. */
const percent = (share: number) => `${number(share / 100, 2)} %`;

function Month({ settlement }: { settlement: ChargingSettlement }) {
  const { t } = useT();
  const { modal, message } = App.useApp();
  const queryClient = useQueryClient();
  const { month, statements, is_over, shares, may_manage } = settlement;
  const due = statements.filter(({ settled_at }) => settled_at === null);
  const context = {
    settlement,
    download: () => download(settlementPath(month)),
    settle: () =>
      modal.confirm({
        title: t("settlement.confirm", { month }),
        content: (
          <>
            <ul className="charging-payments">
              {due.map(({ operator, due_fen }) => (
                <li key={operator}>
                  {t("settlement.to-be-given", {
                    operator: operatorWord(operator, t),
                    amount: money(due_fen, t),
                  })}
                </li>
              ))}
            </ul>
            <p>{t("settlement.once")}</p>
          </>
        ),
        okText: t("settlement.settle"),
        cancelText: t("word.cancel"),
        okButtonProps: { "data-testid": "settlement-sure" },
        onOk: async () => {
          try {
            const next = await settle(month);
            queryClient.setQueryData(settlementQuery(month).queryKey, next);
            message.success(t("settlement.done"));
          } catch (error) {
            message.error(errorText(error, t), ERROR_S);
          }
          void queryClient.invalidateQueries({ queryKey: ROOM });
        },
      }),
  };
  useActionKeys(settlementActions, context);
  return (
    <div className="charging-parts">
      <div className="toolbar charging-line-bar">
        <span className="quiet charging-line-about">
          {t("settlement.about", { zone: ZONE_LABEL })}{" "}
          {t("settlement.shares", {
            energy: percent(shares[0] ?? 0),
            service: percent(shares[1] ?? 0),
            time: percent(shares[2] ?? 0),
          })}
        </span>
        <ActionBar actions={settlementActions} context={context} />
      </div>
      {!is_over && may_manage && (
        <Alert type="info" showIcon title={t("settlement.goes-on")} data-testid="settlement-goes-on" />
      )}
      {statements.length === 0 ? (
        <Nothing title={t("settlement.none")} mend={t("settlement.none-mend")} />
      ) : (
        <Statements statements={statements} />
      )}
    </div>
  );
}

function SettledTag({ at }: { at: string | null }) {
  const { t } = useT();
  return at ? <Tag color="green">{t("settlement.settled")}</Tag> : <Tag>{t("settlement.open")}</Tag>;
}

function Statements({ statements }: { statements: ChargingStatement[] }) {
  const { t } = useT();
  const phone = usePhone();
  const parts = (row: ChargingStatement): [string, number][] => [
    [t("settlement.paid"), row.paid_fen],
    [t("settlement.refunded"), row.refunded_fen],
    [t("settlement.energy"), row.energy_fen],
    [t("settlement.service"), row.service_fen],
    [t("settlement.time"), row.parking_fen + row.idle_fen],
    [t("settlement.net"), row.total_fen],
    [t("settlement.share"), row.share_fen],
    [t("settlement.due"), row.due_fen],
  ];
  if (phone) {
    return (
      <ul className="card-list">
        {statements.map((row) => (
          <li key={row.operator} className="item-card charging-plain" data-testid="settlement-statement">
            <span className="item-card-head">
              <strong>{operatorWord(row.operator, t)}</strong>
              <SettledTag at={row.settled_at} />
            </span>
            <span className="quiet">
              {t("settlement.of-charges", { n: number(row.count), kwh: kwh(row.energy_wh) })}
            </span>
            <dl className="problem charging-sums">
              {parts(row).map(([title, fen]) => (
                <div key={title}>
                  <dt>{title}</dt>
                  <dd>{yuan(fen)}</dd>
                </div>
              ))}
            </dl>
          </li>
        ))}
      </ul>
    );
  }
  const sum = (of: (row: ChargingStatement) => number) => statements.reduce((all, row) => all + of(row), 0);
  const columns: [string, (row: ChargingStatement) => number][] = parts(
    statements[0] as ChargingStatement,
  ).map(([title], n) => [title, (row) => parts(row)[n]?.[1] ?? 0]);
  return (
    <Table<ChargingStatement>
      size="small"
      rowKey="operator"
      dataSource={statements}
      pagination={false}
      className="tabular"
      scroll={{ x: "max-content" }}
      onRow={() => ({ "data-testid": "settlement-statement" }) as React.HTMLAttributes<HTMLElement>}
      columns={[
        { title: t("charging.operator"), render: (_, { operator }) => operatorWord(operator, t) },
        {
          title: t("settlement.state"),
          render: (_, { settled_at }) => (
            <>
              <SettledTag at={settled_at} /> {settled_at && <Time at={settled_at} bare />}
            </>
          ),
        },
        { title: t("settlement.count"), align: "right", render: (_, { count }) => number(count) },
        { title: t("settlement.kwh"), align: "right", render: (_, { energy_wh }) => kwh(energy_wh) },
        ...columns.map(([title, of]) => ({
          title,
          align: "right" as const,
          render: (_: unknown, row: ChargingStatement) => yuan(of(row)),
        })),
      ]}
      summary={() =>
        statements.length > 1 && (
          <Table.Summary.Row>
            <Table.Summary.Cell index={0} colSpan={2}>
              {t("charging.all-operators")}
            </Table.Summary.Cell>
            <Table.Summary.Cell index={2} align="right">
              {number(sum(({ count }) => count))}
            </Table.Summary.Cell>
            <Table.Summary.Cell index={3} align="right">
              {kwh(sum(({ energy_wh }) => energy_wh))}
            </Table.Summary.Cell>
            {columns.map(([title, of], n) => (
              <Table.Summary.Cell key={title} index={n + 4} align="right">
                {yuan(sum(of))}
              </Table.Summary.Cell>
            ))}
          </Table.Summary.Row>
        )
      }
    />
  );
}
