/** Charging (充电运营): what it comes to, its sessions and bills, tariffs, cards, stations on the line, settlement, invoices, other platforms. */
import { Segmented } from "antd";
// The months and weekdays of calendars in Chinese.
import "dayjs/locale/zh-cn";
import { useEffect, useRef } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { useAddress } from "../../lib/address.ts";
import { can, useUser } from "../../lib/session.ts";
import { MANAGE } from "./actions.tsx";
import { Cards } from "./cards.tsx";
import "./charging.css";
import { Exchange } from "./exchange.tsx";
import { Grid } from "./grid.tsx";
import { Invoices } from "./invoices.tsx";
import { Overview } from "./overview.tsx";
import { Sessions } from "./sessions.tsx";
import { Settlement } from "./settlement.tsx";
import { Stations } from "./stations.tsx";
import { Tariffs } from "./tariffs.tsx";

const VIEWS = [
  "overview",
  "sessions",
  "tariffs",
  "cards",
  "stations",
  "grid",
  "settlement",
  "invoices",
  "exchange",
] as const;
type View = (typeof VIEWS)[number];
/** What each part keeps in the address; the next part begins without it. */
const KEPT = [
  "days",
  "from",
  "to",
  "state",
  "station",
  "operator",
  "card",
  "corrected",
  "disputed",
  "month",
  "changed",
];
/** Only who manages them may read cards and invoices. */
const MANAGED: readonly View[] = ["cards", "invoices"];

export function Page() {
  const { t } = useT();
  const user = useUser();
  const [parameters, set] = useAddress();
  const views = VIEWS.filter((view) => !MANAGED.includes(view) || can(user, MANAGE));
  const view = views.find((one) => one === parameters.get("view")) ?? "overview";
  const go = (next: View) =>
    set({
      ...Object.fromEntries(KEPT.map((name) => [name, undefined])),
      view: next === "overview" ? undefined : next,
    });
  // On a phone the parts are wider than the screen: the one that is open can be seen.
  const bar = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another part is another place
  useEffect(() => {
    const open = bar.current?.querySelector<HTMLElement>(".ant-segmented-item-selected");
    if (bar.current && open)
      bar.current.scrollLeft = open.offsetLeft + open.offsetWidth - bar.current.clientWidth;
  }, [view]);
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("charging.title")}</h1>
        <Segmented<View>
          ref={bar}
          className="charging-views"
          aria-label={t("charging.views")}
          value={view}
          onChange={go}
          options={views.map((value) => ({ value, label: t(`charging-view.${value}`) }))}
        />
        <Link to="/charging/supervision">{t("supervision.from-charging")}</Link>
        {!can(user, MANAGE) && <span className="quiet">{t("charging.manage-only")}</span>}
      </header>
      {view === "overview" && <Overview />}
      {view === "sessions" && <Sessions />}
      {view === "tariffs" && <Tariffs />}
      {view === "cards" && <Cards />}
      {view === "stations" && <Stations />}
      {view === "grid" && <Grid />}
      {view === "settlement" && <Settlement />}
      {view === "invoices" && <Invoices />}
      {view === "exchange" && <Exchange />}
    </div>
  );
}
