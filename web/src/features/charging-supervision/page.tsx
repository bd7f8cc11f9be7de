/** Supervision of charging (充电监管): what a regulator counts of charge points and charges, each figure with how it is counted. */
import { useQuery } from "@tanstack/react-query";
import { Segmented } from "antd";
// The months and weekdays of calendars in Chinese.
import "dayjs/locale/zh-cn";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { useAddress } from "../../lib/address.ts";
import { download } from "../../lib/download.ts";
import { ZONE_LABEL } from "../../lib/format.ts";
import { Loaded } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import "../charging/charging.css";
import { ChosenDays } from "../charging/days.tsx";
import { dayOf, spanOf } from "../charging/say.ts";
import { type SupervisionContext, supervisionActions } from "./actions.tsx";
import { Faults } from "./faults.tsx";
import { Fire } from "./fire.tsx";
import { Overview } from "./overview.tsx";
import { supervisionQuery } from "./queries.ts";
import { Subsidy } from "./subsidy.tsx";
import "./charging-supervision.css";
import { Towns } from "./towns.tsx";

const VIEWS = ["overview", "towns", "faults", "subsidy", "fire"] as const;
type View = (typeof VIEWS)[number];

export function Page() {
  const { t } = useT();
  const [parameters, set] = useAddress();
  const view = VIEWS.find((one) => one === parameters.get("view")) ?? "overview";
  const today = dayOf(Date.now());
  const span = spanOf(parameters, today);
  const said = (name: string) => parameters.get(name) ?? undefined;
  const asked = {
    from: span.from,
    to: span.to,
    rate: said("rate"),
    cap: said("cap"),
    far_km: said("far_km"),
  };
  const supervision = useQuery(supervisionQuery(asked));
  const context: SupervisionContext = {
    asked,
    isSubsidy: view === "subsidy",
    refresh: () => supervision.refetch(),
    download,
  };
  useActionKeys(supervisionActions, context);
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("supervision.title")}</h1>
        <Segmented<View>
          aria-label={t("supervision.views")}
          className="supervision-views"
          value={view}
          onChange={(next) => set({ view: next === "overview" ? undefined : next })}
          options={VIEWS.map((value) => ({ value, label: t(`supervision-view.${value}`) }))}
        />
        <Link to="/charging">{t("supervision.to-charging")}</Link>
        <ActionBar actions={supervisionActions} context={context} />
      </header>
      <ChosenDays span={span} today={today} />
      {/* What is reckoned by can be mended also when the server does not take it. */}
      {view === "subsidy" && <Subsidy.Terms found={supervision.data?.subsidy} />}
      {view === "towns" && <Towns.Distance found={supervision.data?.far.km} />}
      <Loaded query={supervision} tall>
        {(found) => (
          <div className={supervision.isPlaceholderData ? "charging-parts charging-stale" : "charging-parts"}>
            <p className="quiet charging-counted">
              {t("supervision.of", { from: found.from, to: found.to, zone: ZONE_LABEL })}{" "}
              <Time at={found.at} />
            </p>
            {view === "overview" && <Overview found={found} />}
            {view === "towns" && <Towns found={found} />}
            {view === "faults" && <Faults found={found} />}
            {view === "subsidy" && <Subsidy found={found} />}
            {view === "fire" && <Fire found={found} />}
          </div>
        )}
      </Loaded>
    </div>
  );
}
