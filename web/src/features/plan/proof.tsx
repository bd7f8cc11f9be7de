/** The way from a figure to what proves it: what its query reads and how fresh that is, and the rows behind it, each leading further. */
import { useQuery } from "@tanstack/react-query";
import { Card, Modal } from "antd";
import { useT } from "../../i18n/index.tsx";
import type { Indicator, IndicatorInput, RowLead, SqlResult } from "../../lib/types.ts";
import { useFocusBack } from "../../ui/keyboard.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { ResultTable } from "../sql/result.tsx";
import { proofQuery } from "./queries.ts";

const many = (n: number) => n.toLocaleString("en-US");

/** Where the cells of the rows lead to that open beside the page. */
export interface Openers {
  onPosition: (position: number) => void;
  onReport: (report: number) => void;
}

/** What a figure's query reads, and how fresh that is. */
export function Inputs({ indicator }: { indicator: Indicator }) {
  const { t } = useT();
  const found = useQuery(proofQuery(indicator.id));
  return (
    <Card size="small" title={t("proof.inputs")} data-testid="proof-inputs">
      <Loaded query={found}>
        {({ inputs, clock }) => (
          <>
            <ul className="plain-list">
              {inputs.map((input) => (
                <li key={`${input.kind} ${input.name}`} className="proof-input">
                  <Input input={input} />
                </li>
              ))}
            </ul>
            {clock && <p className="quiet outlook-line">{t("proof.clock")}</p>}
          </>
        )}
      </Loaded>
    </Card>
  );
}

function Input({ input }: { input: IndicatorInput }) {
  const { t, p } = useT();
  const title = p(input.title_zh, input.title_en);
  const file = input.imported;
  return (
    <>
      <strong>{title}</strong> {input.name !== title && input.name && <code>{input.name}</code>}{" "}
      <span className="quiet">
        {input.count !== null &&
          t(input.kind === "things" ? "proof.things" : "proof.rows", { n: many(input.count) })}
        {(input.devices ?? 0) > 0 && ` · ${t("proof.devices", { n: many(input.devices ?? 0) })}`}
        {input.newest && (
          <>
            {" · "}
            {t("proof.newest")} <Time at={input.newest} age />
          </>
        )}
      </span>
      {file && (
        <div className="quiet">
          {t("proof.imported", { file: file.file, name: file.imported_by })} · <Time at={file.imported_at} />{" "}
          · SHA-256 <code className="hash">{file.sha256}</code>
        </div>
      )}
    </>
  );
}

/** Rows behind a figure, and what a click on them leads to. */
export function RowsBehind({
  rows,
  leads,
  onPosition,
  onReport,
}: { rows: SqlResult | null; leads: RowLead[] } & Openers) {
  const { t } = useT();
  if (!rows || rows.rows.length === 0) return <Nothing title={t("plan.rows-none")} />;
  return (
    <>
      {leads.map(({ column, to }) => (
        <p key={column} className="quiet outlook-line">
          <code>{column}</code>: {t(`proof.lead-${to}`)}
        </p>
      ))}
      {rows.truncated && (
        <p className="quiet">{t("sql.truncated", { n: rows.rows.length.toLocaleString("en-US") })}</p>
      )}
      <div className="indicator-rows">
        <ResultTable result={rows} leads={leads} onPosition={onPosition} onReport={onReport} />
      </div>
    </>
  );
}

/** The rows behind one town's figure. */
export function TownRowsDialog({
  indicator,
  town,
  onClose,
  ...openers
}: { indicator: Indicator; town: { code: string; name: string }; onClose: () => void } & Openers) {
  const { t, p } = useT();
  const found = useQuery(proofQuery(indicator.id, town.code));
  useFocusBack();
  return (
    <Modal
      open
      width={980}
      footer={null}
      onCancel={onClose}
      title={t("proof.town", { name: p(indicator.name_zh, indicator.name_en), town: town.name })}
    >
      <Loaded query={found}>
        {(proof) => (
          <RowsBehind rows={proof.town?.rows ?? null} leads={proof.town?.leads ?? []} {...openers} />
        )}
      </Loaded>
    </Modal>
  );
}
