/** A bill as who pays it reads it: line by line, then what it comes to. */
import { Card } from "antd";
import { useT } from "../../i18n/index.tsx";
import type { ChargingBill } from "../../lib/types.ts";
import { yuan } from "../projects/money.ts";

export function BillCard({ bill }: { bill: ChargingBill }) {
  const { t, p } = useT();
  return (
    <Card size="small" title={t("charge.bill")} data-testid="charge-bill">
      {bill.standing === "held" && <p>{t("charge.bill-held")}</p>}
      {bill.standing === "waived" && <p>{t("charge.bill-waived")}</p>}
      <table className="charge-bill">
        <thead>
          <tr>
            <th scope="col">{t("charging.line")}</th>
            <th scope="col">{t("charging.amount")}</th>
          </tr>
        </thead>
        <tbody>
          {bill.lines.map((line, n) => (
            <tr key={n}>
              <td>{p(line.text_zh, line.text_en)}</td>
              <td>{yuan(line.amount_fen)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{t("charging.total")}</th>
            <td>{yuan(bill.total_fen)}</td>
          </tr>
          {bill.due_fen !== null && bill.due_fen !== bill.total_fen && (
            <tr>
              <th scope="row">{t("charging.due")}</th>
              <td>{yuan(bill.due_fen)}</td>
            </tr>
          )}
        </tfoot>
      </table>
    </Card>
  );
}
