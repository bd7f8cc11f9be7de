/** The subsidy by energy: rate and cap in the address, what counts and what does not by operator, and every session as a table to count again. */
import { Alert, Table } from "antd";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { number, pick } from "../../lib/format.ts";
import type { ChargingSubsidyOperator, ChargingSupervision } from "../../lib/types.ts";
import { Nothing } from "../../ui/states.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { operatorWord } from "../charging/marks.tsx";
import { sessionsPath } from "../charging/queries.ts";
import { energy, kwh } from "../charging/say.ts";
import { yuan } from "../projects/money.ts";
import { AskedCard, Term } from "./parts.tsx";

const FEN = 100;

function Terms({ found }: { found: ChargingSupervision["subsidy"] | undefined }) {
  const { t } = useT();
  const cap = found?.cap_fen;
  return (
    <div className="supervision-terms" data-testid="supervision-terms">
      <Term name="rate" label={t("supervision.rate")} set={found?.rate ?? ""} />
      <Term name="cap" label={t("supervision.cap")} set={typeof cap === "number" ? String(cap / FEN) : "0"} />
    </div>
  );
}

export function Subsidy({ found }: { found: ChargingSupervision }) {
  const { t } = useT();
  const { subsidy } = found;
  return (
    <AskedCard title={t("supervision.subsidy")} how="subsidy" found={found} testId="supervision-subsidy">
      {Number(subsidy.rate) === 0 && (
        <Alert type="info" showIcon title={t("supervision.subsidy-rate-none")} className="supervision-note" />
      )}
      {subsidy.operators.length === 0 ? (
        <Nothing title={t("supervision.subsidy-none")} />
      ) : (
        <Operators found={found} />
      )}
    </AskedCard>
  );
}
Subsidy.Terms = Terms;

function Excluded({ of }: { of: ChargingSubsidyOperator }) {
  const { t, language } = useT();
  if (of.excluded.length === 0) return <span className="quiet">{t("supervision.excluded-none")}</span>;
  return (
    <ul className="plain-list supervision-excluded">
      {of.excluded.map((one) => (
        <li key={one.reason}>
          {t("supervision.excluded-of", {
            title: pick(language, one.title_zh, one.title_en) ?? one.reason,
            sessions: number(one.sessions),
            energy: energy(one.energy_wh),
          })}
        </li>
      ))}
    </ul>
  );
}

function Operators({ found }: { found: ChargingSupervision }) {
  const { t } = useT();
  const phone = usePhone();
  const { operators, due_fen: due } = found.subsidy;
  const days = { from: found.from, to: found.to };
  const path = (operator: string) => sessionsPath({ ...days, operator });
  const total = t("supervision.total");
  if (phone) {
    return (
      <>
        <ul className="card-list">
          {operators.map((one) => (
            <li key={one.operator} className="item-card charging-plain">
              <span className="item-card-head">
                <strong>{operatorWord(one.operator, t)}</strong>
                <span className="number">
                  {t("supervision.due")} {yuan(one.due_fen)}
                </span>
              </span>
              <Link className="charging-link" to={path(one.operator)}>
                {t("supervision.counted")} {number(one.sessions)} · {energy(one.energy_wh)}
              </Link>
              <span className="quiet number">
                {t("supervision.sum")} {yuan(one.sum_fen)} · {t("supervision.unjudged")}{" "}
                {energy(one.unjudged_wh)}
              </span>
              <span className="quiet">{t("supervision.excluded")}</span>
              <Excluded of={one} />
            </li>
          ))}
        </ul>
        <p className="number">
          <strong>
            {total} {yuan(due)}
          </strong>
        </p>
      </>
    );
  }
  const right = (title: string, of: (one: ChargingSubsidyOperator) => string) => ({
    title,
    align: "right" as const,
    render: (_: unknown, one: ChargingSubsidyOperator) => of(one),
  });
  return (
    <Table
      size="small"
      rowKey="operator"
      dataSource={operators}
      pagination={false}
      className="tabular"
      scroll={{ x: "max-content" }}
      columns={[
        { title: t("supervision.operator"), render: (_, one) => operatorWord(one.operator, t) },
        {
          title: t("supervision.counted"),
          align: "right" as const,
          render: (_, one) => <Link to={path(one.operator)}>{number(one.sessions)}</Link>,
        },
        right(t("supervision.counted-kwh"), (one) => kwh(one.energy_wh)),
        right(t("supervision.unjudged"), (one) => kwh(one.unjudged_wh)),
        { title: t("supervision.excluded"), render: (_, one) => <Excluded of={one} /> },
        right(t("supervision.sum"), (one) => yuan(one.sum_fen)),
        right(t("supervision.due"), (one) => yuan(one.due_fen)),
      ]}
      summary={() => (
        <Table.Summary.Row>
          <Table.Summary.Cell index={0} colSpan={6}>
            <strong>{total}</strong>
          </Table.Summary.Cell>
          <Table.Summary.Cell index={6} align="right">
            <strong className="number">{yuan(due)}</strong>
          </Table.Summary.Cell>
        </Table.Summary.Row>
      )}
    />
  );
}
