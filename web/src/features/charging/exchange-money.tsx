/** Money between platforms: what a month's orders with each partner come to, agreed and disputed apart, and entering what is agreed. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Table } from "antd";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar } from "../../lib/actions.tsx";
import { download } from "../../lib/download.ts";
import { number } from "../../lib/format.ts";
import type { ExchangeStatement, ExchangeStatements, ExchangeSum } from "../../lib/types.ts";
import { errorText, Loaded, Nothing } from "../../ui/states.tsx";
import { yuan } from "../projects/money.ts";
import { money } from "./marks.tsx";
import { statementActions } from "./money-actions.tsx";
import { ChosenMonth, useMonth } from "./month.tsx";
import { enterStatement, ROOM, statementsPath, statementsQuery } from "./queries.ts";
import { kwh } from "./say.ts";

const ERROR_S = 6;

export function ExchangeMoney() {
  const { t } = useT();
  const month = useMonth();
  const found = useQuery(statementsQuery(month));
  return (
    <section aria-label={t("statement.title")}>
      <h2 className="charging-heading">{t("statement.title")}</h2>
      <p className="quiet">{t("statement.about")}</p>
      <div className="charging-span charging-money-bar">
        <ChosenMonth month={month} />
        <Button
          disabled={!found.data || found.data.statements.length === 0}
          onClick={() => download(statementsPath(month))}
        >
          {t("statement.csv")}
        </Button>
      </div>
      <Loaded query={found}>{(body) => <Statements body={body} />}</Loaded>
    </section>
  );
}

/** Orders of one standing: how many, and what they come to. */
function Sum({ sum, red }: { sum: ExchangeSum; red?: boolean }) {
  const { t } = useT();
  if (sum.count === 0) return <span className="quiet">0</span>;
  return (
    <span className={red ? "number charging-wrong" : "number"}>
      {t("statement.sum", { n: number(sum.count), kwh: kwh(sum.energy_wh) })}
      <br />
      {t("statement.fees", { energy: yuan(sum.electricity_fen), service: yuan(sum.service_fen) })}
    </span>
  );
}

function Statements({ body }: { body: ExchangeStatements }) {
  const { t } = useT();
  const { modal, message } = App.useApp();
  const queryClient = useQueryClient();
  const { month, statements, is_over } = body;
  const enter = (statement: ExchangeStatement) =>
    modal.confirm({
      title: t("statement.confirm", { name: statement.name, month, amount: money(statement.due_fen, t) }),
      content: <p>{t("statement.entered-about")}</p>,
      okText: t("statement.enter"),
      cancelText: t("word.cancel"),
      okButtonProps: { "data-testid": "statement-sure" },
      onOk: async () => {
        try {
          const next = await enterStatement(month, statement.partner);
          queryClient.setQueryData(statementsQuery(month).queryKey, next);
          message.success(t("statement.done"));
        } catch (error) {
          message.error(errorText(error, t), ERROR_S);
        }
        void queryClient.invalidateQueries({ queryKey: ROOM });
      },
    });
  if (statements.length === 0) return <Nothing title={t("statement.none")} />;
  return (
    <Table<ExchangeStatement>
      size="small"
      rowKey={({ partner, side }) => `${partner} ${side}`}
      dataSource={statements}
      pagination={false}
      className="tabular"
      scroll={{ x: "max-content" }}
      onRow={() => ({ "data-testid": "exchange-statement" }) as React.HTMLAttributes<HTMLElement>}
      columns={[
        {
          title: t("exchange.partner"),
          render: (_, { name, partner }) => (
            <>
              {name} {name !== partner && <span className="quiet">{partner}</span>}
            </>
          ),
        },
        {
          title: t("exchange.side"),
          render: (_, { side }) => {
            const key = keyOf("exchange-side", side);
            return key ? t(key) : side;
          },
        },
        { title: t("statement.agreed"), render: (_, { agreed }) => <Sum sum={agreed} /> },
        { title: t("statement.disputed"), render: (_, { disputed }) => <Sum sum={disputed} red /> },
        { title: t("statement.open"), render: (_, { open }) => <Sum sum={open} /> },
        {
          title: t("statement.due"),
          align: "right",
          render: (_, statement) => (
            <>
              {statement.side === "ours"
                ? `${yuan(statement.due_fen)} / ${yuan(statement.entered_fen)}`
                : "—"}{" "}
              <ActionBar
                actions={statementActions}
                context={{ statement, isOver: is_over, enter }}
                size="small"
              />
            </>
          ),
        },
      ]}
    />
  );
}
