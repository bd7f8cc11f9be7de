/** Towns side by side, and the villages from which charging is far. */
import { Alert, Table } from "antd";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { number } from "../../lib/format.ts";
import type { ChargingSupervisedTown, ChargingSupervision } from "../../lib/types.ts";
import { Nothing } from "../../ui/states.tsx";
import { kwh } from "../charging/say.ts";
import { useColumns } from "./overview.tsx";
import { AskedCard, Bar, Term, Thing } from "./parts.tsx";

/** Towns shown at once: more than a county-level city has. */
const TOWNS_MAX = 60;

export function Towns({ found }: { found: ChargingSupervision }) {
  return (
    <>
      <Compared found={found} />
      <Far found={found} />
    </>
  );
}

function Compared({ found }: { found: ChargingSupervision }) {
  const { t } = useT();
  type Row = ChargingSupervisedTown;
  const [points, power, online, , ...rest] = useColumns<Row>();
  const most = (of: (row: Row) => number) => Math.max(0, ...found.towns.map(of));
  const mostPoints = most((row) => row.figures.points);
  const mostEnergy = most((row) => row.figures.energy_wh);
  return (
    <AskedCard title={t("supervision.towns")} how="towns" found={found} testId="supervision-towns">
      <Table<Row>
        size="small"
        rowKey="code"
        dataSource={found.towns.slice(0, TOWNS_MAX)}
        pagination={false}
        className="tabular"
        scroll={{ x: "max-content" }}
        columns={[
          {
            title: t("supervision.town"),
            className: "charging-town",
            render: (_, row) => row.name || row.code || t("supervision.town-unknown"),
          },
          {
            ...points,
            defaultSortOrder: "descend" as const,
            render: (_: unknown, row: Row) => (
              <Bar value={row.figures.points} most={mostPoints}>
                {number(row.figures.points)}
              </Bar>
            ),
          },
          power ?? {},
          online ?? {},
          {
            title: t("supervision.kwh"),
            align: "right" as const,
            sorter: (one, other) => one.figures.energy_wh - other.figures.energy_wh,
            sortDirections: ["descend" as const, "ascend" as const],
            render: (_, row) => (
              <Bar value={row.figures.energy_wh} most={mostEnergy}>
                {kwh(row.figures.energy_wh)}
              </Bar>
            ),
          },
          ...rest,
          {
            title: t("supervision.villages-far"),
            align: "right" as const,
            sorter: (one, other) => one.villages_far - other.villages_far,
            sortDirections: ["descend" as const, "ascend" as const],
            render: (_, row) => `${row.villages_far} / ${row.villages}`,
          },
        ]}
      />
    </AskedCard>
  );
}

/** How far is far, kept in the address. */
function Distance({ found }: { found: number | undefined }) {
  const { t } = useT();
  return (
    <div className="supervision-terms">
      <Term name="far_km" label={t("supervision.far-km")} set={found === undefined ? "" : String(found)} />
    </div>
  );
}
Towns.Distance = Distance;

function Far({ found }: { found: ChargingSupervision }) {
  const { t, language } = useT();
  const { far } = found;
  const notes = language === "zh" ? far.notes_zh : far.notes_en;
  return (
    <AskedCard
      title={t("supervision.far")}
      how="far"
      found={found}
      testId="supervision-far"
      extra={<Link to="/map">{t("supervision.on-map")}</Link>}
    >
      <p className="charging-counted">
        {t("supervision.far-of", {
          villages: number(far.villages),
          far: number(far.far),
          km: number(far.km, 1),
        })}
        {far.far > far.items.length && (
          <span className="quiet"> · {t("supervision.far-listed", { n: far.items.length })}</span>
        )}
      </p>
      {far.located === 0 && <Alert type="warning" showIcon title={t("supervision.far-unlocated")} />}
      {far.items.length === 0 ? (
        <Nothing title={t("supervision.far-none")} />
      ) : (
        <Table
          size="small"
          rowKey="code"
          dataSource={far.items}
          pagination={{ pageSize: 10, showSizeChanger: false, hideOnSinglePage: true }}
          className="tabular"
          scroll={{ x: "max-content" }}
          columns={[
            { title: t("supervision.village"), dataIndex: "name" },
            { title: t("supervision.town"), dataIndex: "town_name" },
            {
              title: t("supervision.nearest"),
              align: "right" as const,
              render: (_, { km, nearest }) => {
                if (typeof km !== "number") return "—";
                const words = t("supervision.km", { n: number(km, 1) });
                return nearest ? <Thing id={nearest} name={words} /> : words;
              },
            },
          ]}
        />
      )}
      {notes.length > 0 && (
        <details className="quiet supervision-notes">
          <summary>{t("supervision.schematic")}</summary>
          <ul>
            {notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </details>
      )}
    </AskedCard>
  );
}
