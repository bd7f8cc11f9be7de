/** The stations on the line, and what they can be told. */
import { useQuery } from "@tanstack/react-query";
import { Input, Table } from "antd";
import { useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { number } from "../../lib/format.ts";
import { can, useUser } from "../../lib/session.ts";
import type { ChargingStationLine } from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { MANAGE, type OrderKind, stationActions } from "./actions.tsx";
import { OrderDialog } from "./order-dialog.tsx";
import { figuresBesideQuery, sessionsPath, stationsQuery } from "./queries.ts";
import { dayOf } from "./say.ts";

/** Stations of a page of the table: a city has thousands. */
const PAGE_SIZE = 100;

interface Telling {
  station: string;
  order: OrderKind;
}

export function Stations() {
  const { t } = useT();
  const stations = useQuery(stationsQuery);
  const [q, setQ] = useState("");
  const [telling, setTelling] = useState<Telling | null>(null);
  return (
    <>
      <Loaded query={stations} tall>
        {({ is_open, items }) => {
          if (!is_open) {
            return <Nothing title={t("charging.door-closed")} mend={t("charging.door-closed-mend")} />;
          }
          if (items.length === 0) {
            return (
              <>
                <Count online={0} />
                <Nothing title={t("charging.line-none")} mend={t("charging.line-none-mend")} />
              </>
            );
          }
          const shown = items.filter(({ identity }) =>
            identity.toLowerCase().includes(q.trim().toLowerCase()),
          );
          return (
            <>
              <div className="toolbar charging-line-bar">
                <Count online={items.length} />
                <Input.Search
                  allowClear
                  placeholder={t("charging.filter-station")}
                  aria-label={t("charging.filter-station")}
                  onChange={({ target }) => setQ(target.value)}
                />
              </div>
              <List items={shown} tell={(station, order) => setTelling({ station, order })} />
            </>
          );
        }}
      </Loaded>
      {telling && <OrderDialog {...telling} onClose={() => setTelling(null)} />}
    </>
  );
}

/** How many are on the line, and of how many. */
function Count({ online }: { online: number }) {
  const { t } = useT();
  const today = dayOf(Date.now());
  const registered = useQuery(figuresBesideQuery(today, today)).data?.stations;
  return (
    <strong>
      {t("charging.line-count", { n: number(online) })}
      {registered !== undefined && (
        <span className="quiet">{t("charging.line-of", { all: number(registered) })}</span>
      )}
    </strong>
  );
}

function List({
  items,
  tell,
}: {
  items: ChargingStationLine[];
  tell: (station: string, order: OrderKind) => void;
}) {
  const { t } = useT();
  const user = useUser();
  const phone = usePhone();
  if (items.length === 0) return <Nothing title={t("charging.none-match")} />;
  const name = ({ identity }: ChargingStationLine) => (
    <Link to={sessionsPath({ station: identity })} title={t("charging.station-sessions")}>
      {identity}
    </Link>
  );
  const bar = ({ identity }: ChargingStationLine) => (
    <ActionBar actions={stationActions} context={{ station: identity, tell }} size="small" />
  );
  if (phone) {
    return (
      <>
        <ul className="card-list">
          {items.slice(0, PAGE_SIZE).map((station) => (
            <li key={station.identity} className="item-card charging-plain" data-testid="charging-station">
              <span className="item-card-head">
                <strong>{name(station)}</strong>
                <span className="quiet">OCPP {station.version}</span>
              </span>
              {can(user, MANAGE) && <span className="charging-orders">{bar(station)}</span>}
            </li>
          ))}
        </ul>
        {items.length > PAGE_SIZE && <p className="quiet">{t("charging.line-more", { n: PAGE_SIZE })}</p>}
      </>
    );
  }
  return (
    <Table<ChargingStationLine>
      size="small"
      rowKey="identity"
      dataSource={items}
      pagination={items.length > PAGE_SIZE ? { pageSize: PAGE_SIZE, showSizeChanger: false } : false}
      className="tabular"
      scroll={{ x: "max-content" }}
      onRow={() => ({ "data-testid": "charging-station" }) as React.HTMLAttributes<HTMLElement>}
      columns={[
        { title: t("charging.station"), render: (_, station) => name(station) },
        { title: t("charging.line-version"), width: 140, dataIndex: "version" },
        ...(can(user, MANAGE)
          ? [
              {
                title: t("word.operations"),
                width: 560,
                render: (_: unknown, station: ChargingStationLine) => (
                  <span className="charging-orders">{bar(station)}</span>
                ),
              },
            ]
          : []),
      ]}
    />
  );
}
