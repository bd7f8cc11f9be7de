/** Beside the map: which layers are shown, and what is wrong now. */
import { useQuery } from "@tanstack/react-query";
import { Button, Checkbox } from "antd";
import { memo, useCallback, useRef } from "react";
import { useT } from "../../i18n/index.tsx";
import { quantity } from "../../lib/format.ts";
import type { Alert, EntityKind } from "../../lib/types.ts";
import { Loaded, Loading } from "../../ui/states.tsx";
import { Age, SEVERITY_COLOURS, SeverityTag } from "../../ui/tags.tsx";
import { activeAlertsQuery } from "../alerts/queries.ts";
import { SEVERITY_BY_NUMBER, typeColour } from "./style.ts";

export function LayerList({
  loading,
  counts,
  types,
  hidden,
  onHidden,
}: {
  loading: boolean;
  counts: [type: string, count: number][];
  types: Map<string, EntityKind> | undefined;
  hidden: string[];
  onHidden: (hidden: string[]) => void;
}) {
  const { t, p } = useT();
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const allHidden = hidden.length >= counts.length;
  return (
    <section className="map-section">
      <header>
        <h2>{t("map.layers")}</h2>
        {!loading && (
          <span className="quiet number">{t("map.entities", { n: total.toLocaleString("en-US") })}</span>
        )}
        {counts.length > 0 && (
          <Button
            size="small"
            type="link"
            onClick={() => onHidden(hidden.length > 0 ? [] : counts.map(([type]) => type))}
          >
            {t(hidden.length > 0 || allHidden ? "map.layers-all" : "map.layers-none")}
          </Button>
        )}
      </header>
      {loading && <Loading />}
      {!loading && counts.length === 0 && (
        <p className="quiet">
          {t("map.empty")}。{t("map.empty-mend")}
        </p>
      )}
      <ul className="plain-list">
        {counts.map(([type, count]) => {
          const kind = types?.get(type);
          return (
            <li key={type} className="layer">
              <Checkbox
                checked={!hidden.includes(type)}
                onChange={(event) =>
                  onHidden(event.target.checked ? hidden.filter((h) => h !== type) : [...hidden, type])
                }
              >
                <span className="dot" style={{ background: typeColour(type, kind) }} />
                {kind ? p(kind.title_zh, kind.title_en) : type}
              </Checkbox>
              <span className="quiet number">{count.toLocaleString("en-US")}</span>
            </li>
          );
        })}
      </ul>
      <p className="legend quiet">
        {t("map.severity-legend")}
        {[...SEVERITY_BY_NUMBER].reverse().map((severity) => (
          <span key={severity}>
            <i style={{ borderColor: SEVERITY_COLOURS[severity] }} />
            {t(`severity.${severity}`)}
          </span>
        ))}
      </p>
      <p className="legend quiet">{t("map.cluster-legend")}</p>
    </section>
  );
}

export function ActiveAlerts({ onPick }: { onPick: (entityId: string) => void }) {
  const { t } = useT();
  const alerts = useQuery(activeAlertsQuery);
  const latest = useRef(onPick);
  latest.current = onPick;
  const pick = useCallback((entityId: string) => latest.current(entityId), []);
  return (
    <section className="map-section map-alerts">
      <header>
        <h2>{t("map.active-alerts")}</h2>
        {alerts.data && <span className="quiet number">{alerts.data.items.length}</span>}
      </header>
      <Loaded query={alerts}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="quiet calm">✓ {t("map.no-alerts")}</p>
          ) : (
            <ul className="plain-list">
              {items.map((alert) => (
                <AlertRow key={alert.id} alert={alert} onPick={pick} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  );
}

/** Drawn anew only when its own alert changed: in a busy hour the list is read several times a second. */
const AlertRow = memo(function AlertRow({
  alert,
  onPick,
}: {
  alert: Alert;
  onPick: (entityId: string) => void;
}) {
  const { t, p } = useT();
  return (
    <li>
      <button type="button" className="alert-row" onClick={() => onPick(alert.entity_id)}>
        <span className="alert-row-head">
          <SeverityTag severity={alert.severity} />
          <strong className="ellipsis">{p(alert.title_zh, alert.title_en)}</strong>
        </span>
        <span className="alert-row-text">
          <span className="ellipsis">{p(alert.entity_name, alert.entity_name_en)}</span>
          {alert.value !== null && <span className="number">{quantity(alert.value, alert.unit)}</span>}
        </span>
        <span className="quiet">
          <Age at={alert.raised_at} />
          {alert.acknowledged_at && ` · ${t("alert.acknowledged")}`}
        </span>
      </button>
    </li>
  );
});
