/** The outlets that were out of order longest, and those of which nothing was heard on the most days. */
import { Table, type TableColumnsType, Tag } from "antd";
import { useT } from "../../i18n/index.tsx";
import type { ChargingSupervision, ChargingWorstPoint } from "../../lib/types.ts";
import { Nothing } from "../../ui/states.tsx";
import { duration } from "../cases/due.tsx";
import { operatorWord } from "../charging/marks.tsx";
import { OutOfOrder, Unheard } from "./figures.tsx";
import { AskedCard, Thing } from "./parts.tsx";

export function Faults({ found }: { found: ChargingSupervision }) {
  const { t } = useT();
  return (
    <>
      <ul className="charging-figures">
        <OutOfOrder found={found} />
        <Unheard found={found} />
      </ul>
      <div className="charging-two">
        <Points
          found={found}
          of="worst"
          how="faults"
          columns={[
            { title: t("supervision.fault-count"), dataIndex: "faults", align: "right" },
            {
              title: t("supervision.fault-time"),
              align: "right",
              render: (_, { fault_seconds: seconds }) => duration(seconds, true, t),
            },
          ]}
        />
        <Points
          found={found}
          of="silent"
          how="missing"
          columns={[
            {
              title: t("supervision.days-missing"),
              align: "right",
              render: (_, { days_missing: missing, days }) => t("supervision.days-of", { missing, days }),
            },
          ]}
        />
      </div>
    </>
  );
}

interface PointsProps {
  found: ChargingSupervision;
  of: "worst" | "silent";
  how: string;
  /** What is told of each outlet. */
  columns: TableColumnsType<ChargingWorstPoint>;
}

/** Outlets one below the other, the worst first. */
function Points({ found, of, how, columns }: PointsProps) {
  const { t } = useT();
  const points = found[of];
  return (
    <AskedCard title={t(`supervision.${of}`)} how={how} found={found} testId={`supervision-${of}`}>
      {points.length === 0 ? (
        <Nothing title={t(`supervision.${of}-none`)} />
      ) : (
        <Table
          size="small"
          rowKey="id"
          dataSource={points}
          pagination={false}
          className="tabular"
          scroll={{ x: "max-content" }}
          columns={[
            {
              title: t("supervision.point"),
              render: (_, point) => (
                <>
                  <Thing id={point.id} name={point.name} />{" "}
                  {point.faulted && <Tag color="red">{t("supervision.faulted-now")}</Tag>}
                </>
              ),
            },
            {
              title: t("supervision.operator"),
              render: (_, { operator }) => operatorWord(operator, t),
            },
            ...columns,
          ]}
        />
      )}
    </AskedCard>
  );
}
