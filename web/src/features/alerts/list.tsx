/**
 * The list of alerts, as a table or, on a phone, as cards. Alerts come while it is looked at: each row is drawn once, and again only
 * when its alert says something else, so that one more alert costs one row and not all of them.
 */
import { memo, useCallback, useRef } from "react";
import { useT } from "../../i18n/index.tsx";
import { quantity, time, ZONE_LABEL } from "../../lib/format.ts";
import type { Alert } from "../../lib/types.ts";
import { openableRow } from "../../ui/keyboard.ts";
import { Ago, SeverityTag } from "../../ui/tags.tsx";
import { Doubt } from "./doubt.tsx";
import "./alerts.css";

interface Row {
  alert: Alert;
  selected: boolean;
  /** Opens an alert; the second word says whether a key did it. */
  open: (id: number, byKey: boolean) => void;
}

export function AlertList({
  items,
  selectedId,
  phone,
  onOpen,
}: {
  items: Alert[];
  selectedId: number | null;
  phone: boolean;
  onOpen: (id: number, byKey: boolean) => void;
}) {
  const { t } = useT();
  // The same function for every drawing, so that rows which did not change are left as they are.
  const latest = useRef(onOpen);
  latest.current = onOpen;
  const open = useCallback((id: number, byKey: boolean) => latest.current(id, byKey), []);
  const rows = (Each: typeof AlertRow | typeof AlertCard) =>
    items.map((alert) => (
      <Each key={alert.id} alert={alert} selected={alert.id === selectedId} open={open} />
    ));
  if (phone) return <ul className="card-list">{rows(AlertCard)}</ul>;
  return (
    <div className="alert-list">
      <table>
        <thead>
          <tr>
            <th scope="col">{t("severity.title")}</th>
            <th scope="col">{t("alert.what")}</th>
            <th scope="col">{t("alert.value")}</th>
            <th scope="col">{`${t("alert.raised")} (${ZONE_LABEL})`}</th>
            <th scope="col">{t("word.state")}</th>
          </tr>
        </thead>
        <tbody>{rows(AlertRow)}</tbody>
      </table>
    </div>
  );
}

const AlertRow = memo(({ alert, selected, open }: Row) => {
  const { t, p } = useT();
  return (
    <tr
      className={selected ? "row-link row-selected" : "row-link"}
      data-alert={alert.id}
      {...openableRow((byKey) => open(alert.id, byKey))}
    >
      <td>
        <SeverityTag severity={alert.severity} />
      </td>
      <td>
        <div>{p(alert.title_zh, alert.title_en)}</div>
        <div className="quiet">{p(alert.entity_name, alert.entity_name_en)}</div>
        <Doubt doubt={alert.doubt} />
      </td>
      <td>
        <strong>{quantity(alert.value, alert.unit)}</strong>
        {alert.threshold !== null && (
          <div className="quiet">
            {t("alert.threshold")} {quantity(alert.threshold, alert.unit)}
          </div>
        )}
      </td>
      <td>
        <time dateTime={alert.raised_at} className="time">
          {time(alert.raised_at)}
        </time>
        <div className="quiet">
          <Ago at={alert.raised_at} />
        </div>
      </td>
      <td>
        <div>{t(alert.cleared_at ? "alert.state-cleared" : "alert.state-active")}</div>
        <div className="quiet">
          {t(alert.acknowledged_at ? "alert.acknowledged" : "alert.not-acknowledged")}
        </div>
      </td>
    </tr>
  );
});

const AlertCard = memo(({ alert, open }: Row) => {
  const { t, p } = useT();
  return (
    <li>
      <button type="button" className="item-card" onClick={() => open(alert.id, false)}>
        <span className="item-card-head">
          <SeverityTag severity={alert.severity} />
          <strong>{p(alert.title_zh, alert.title_en)}</strong>
        </span>
        <span>
          {p(alert.entity_name, alert.entity_name_en)}
          {alert.value !== null && (
            <>
              {" "}
              · <b>{quantity(alert.value, alert.unit)}</b>
            </>
          )}
        </span>
        <span className="quiet">
          <span title={`${time(alert.raised_at)} ${ZONE_LABEL}`}>
            <Ago at={alert.raised_at} />
          </span>{" "}
          · {t(alert.cleared_at ? "alert.state-cleared" : "alert.state-active")}
          {alert.acknowledged_at && ` · ${t("alert.acknowledged")}`}
        </span>
        <Doubt doubt={alert.doubt} />
      </button>
    </li>
  );
});
