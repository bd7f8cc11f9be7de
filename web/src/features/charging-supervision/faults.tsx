/** The outlets that were out of order longest, and those of which nothing was heard on the most days. */
import { Card, Table, Tag } from "antd";
import { useT } from "../../i18n/index.tsx";
import { number } from "../../lib/format.ts";
import type { ChargingSupervision, ChargingWorstPoint } from "../../lib/types.ts";
import { Nothing } from "../../ui/states.tsx";
import { duration } from "../cases/due.tsx";
import { operatorWord } from "../charging/marks.tsx";
import { Figure, How, percent, Thing } from "./parts.tsx";

export function Faults({ found }: { found: ChargingSupervision }) {
  const { t } = useT();
  const all = found.overall;
  const lasting = (seconds: number) => duration(seconds, true, t);
  return (
    <>
      <ul className="charging-figures">
        <Figure
          title={t("supervision.faults")}
          how="faults"
          found={found}
          wrong={all.faulted > 0}
          of={t("supervision.faults-of", { time: lasting(all.fault_seconds), now: number(all.faulted) })}
        >
          {number(all.faults)}
        </Figure>
        <Figure
          title={t("supervision.repair")}
          how="repair"
          found={found}
          of={t("supervision.repair-of", { n: number(all.repairs) })}
        >
          {typeof all.repair_mean_seconds === "number" ? lasting(all.repair_mean_seconds) : "—"}
        </Figure>
        <Figure
          title={t("supervision.missing")}
          how="missing"
          found={found}
          of={t("supervision.missing-of", { missing: number(all.days_missing), days: number(all.days) })}
        >
          {percent(all.missing_rate)}
        </Figure>
        <Figure
          title={t("supervision.incomplete")}
          how="incomplete"
          found={found}
          of={t("supervision.incomplete-of", {
            energy: number(all.without_energy),
            time: number(all.without_time),
            card: number(all.without_card),
          })}
        >
          {percent(all.incomplete_rate)}
        </Figure>
      </ul>
      <div className="charging-two">
        <Worst found={found} />
        <Silent found={found} />
      </div>
    </>
  );
}

function usePoint() {
  const { t } = useT();
  return [
    {
      title: t("supervision.point"),
      render: (_: unknown, point: ChargingWorstPoint) => (
        <>
          <Thing id={point.id} name={point.name} />{" "}
          {point.faulted && <Tag color="red">{t("supervision.faulted-now")}</Tag>}
        </>
      ),
    },
    {
      title: t("supervision.operator"),
      render: (_: unknown, { operator }: ChargingWorstPoint) => operatorWord(operator, t),
    },
  ];
}

function Worst({ found }: { found: ChargingSupervision }) {
  const { t } = useT();
  const point = usePoint();
  const title = t("supervision.worst");
  return (
    <Card
      size="small"
      title={
        <>
          {title} <How of="faults" figure={title} found={found} />
        </>
      }
      data-testid="supervision-worst"
    >
      {found.worst.length === 0 ? (
        <Nothing title={t("supervision.worst-none")} />
      ) : (
        <Table
          size="small"
          rowKey="id"
          dataSource={found.worst}
          pagination={false}
          className="tabular"
          scroll={{ x: "max-content" }}
          columns={[
            ...point,
            { title: t("supervision.fault-count"), dataIndex: "faults", align: "right" as const },
            {
              title: t("supervision.fault-time"),
              align: "right" as const,
              render: (_, { fault_seconds: seconds }) => duration(seconds, true, t),
            },
          ]}
        />
      )}
    </Card>
  );
}

function Silent({ found }: { found: ChargingSupervision }) {
  const { t } = useT();
  const point = usePoint();
  const title = t("supervision.silent");
  return (
    <Card
      size="small"
      title={
        <>
          {title} <How of="missing" figure={title} found={found} />
        </>
      }
      data-testid="supervision-silent"
    >
      {found.silent.length === 0 ? (
        <Nothing title={t("supervision.silent-none")} />
      ) : (
        <Table
          size="small"
          rowKey="id"
          dataSource={found.silent}
          pagination={false}
          className="tabular"
          scroll={{ x: "max-content" }}
          columns={[
            ...point,
            {
              title: t("supervision.days-missing"),
              align: "right" as const,
              render: (_, { days_missing: missing, days }) => t("supervision.days-of", { missing, days }),
            },
          ]}
        />
      )}
    </Card>
  );
}
