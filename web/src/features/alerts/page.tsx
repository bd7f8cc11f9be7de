/** Alerts as they come: list, filter, acknowledge, open a case, and what to do about each. */
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { App, Card, Drawer, Segmented, Select } from "antd";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { quantity } from "../../lib/format.ts";
import type { Alert, Severity } from "../../lib/types.ts";
import { useFocusBack } from "../../ui/keyboard.ts";
import { Markdown } from "../../ui/markdown.tsx";
import { More } from "../../ui/more.tsx";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { SEVERITIES, SEVERITY_COLOURS, SeverityTag, Time } from "../../ui/tags.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { OpenCaseDialog } from "../cases/dialogs.tsx";
import { AttributeName } from "../entity/attribute-name.tsx";
import { ProvenanceDrawer } from "../provenance/drawer.tsx";
import { type AlertContext, alertActions } from "./actions.tsx";
import { Affected } from "./affected.tsx";
import { Doubt } from "./doubt.tsx";
import { AlertList } from "./list.tsx";
import { alertsQuery } from "./queries.ts";
import { Told } from "./told.tsx";

type StateFilter = "active" | "cleared" | "all";

export function Page() {
  const { t } = useT();
  const phone = usePhone();
  const navigate = useNavigate();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const [parameters, setParameters] = useSearchParams();
  const selectedId = Number(parameters.get("alert")) || null;
  // A link to one alert must find it, whether it is still active or not.
  const [state, setState] = useState<StateFilter>(selectedId ? "all" : "active");
  const [severity, setSeverity] = useState<Severity | undefined>();
  const [caseFor, setCaseFor] = useState<Alert | null>(null);
  const [position, setPosition] = useState<number | null>(null);
  const alerts = useInfiniteQuery(alertsQuery({ state: state === "all" ? undefined : state, severity }));
  const items = useMemo(() => alerts.data?.pages.flatMap((page) => page.items) ?? [], [alerts.data]);
  // What is shown beside the list stays: a newer alert must not slip under a hand that is about to click.
  const [firstId, setFirstId] = useState<number | null>(null);
  const first = items.find((alert) => alert.id === firstId) ?? items[0] ?? null;
  useEffect(() => setFirstId(first?.id ?? null), [first?.id]);
  const selected = items.find((alert) => alert.id === selectedId) ?? (phone ? null : first);
  const select = (id: number | null) => setParameters(id ? { alert: String(id) } : {}, { replace: true });

  const contextOf = (alert: Alert): AlertContext => ({
    alert,
    navigate,
    openCase: setCaseFor,
    showSource: setPosition,
    changed: () => {
      message.success(t("alert.acknowledge-done"));
      void queryClient.invalidateQueries({ queryKey: ["alerts"] });
    },
  });
  useActionKeys(alertActions, selected ? contextOf(selected) : null);

  // Enter on a row goes on beside the list, Escape comes back to the row.
  const beside = useRef<HTMLElement>(null);
  const backToList = (event: KeyboardEvent<HTMLElement>) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    if (!event.currentTarget.contains(event.target as Node)) return;
    document.querySelector<HTMLElement>(`[data-alert="${selected?.id}"]`)?.focus();
  };

  const failure = useFailure(alerts);
  const list = () => {
    if (failure) return failure;
    if (!alerts.data) return <Loading tall />;
    if (items.length === 0) {
      return <Nothing title={t(state === "active" && !severity ? "alert.none-active" : "alert.none")} />;
    }
    return (
      <AlertList
        items={items}
        selectedId={selected?.id ?? null}
        phone={phone}
        onOpen={(id, byKey) => {
          select(id);
          if (byKey) beside.current?.focus();
        }}
      />
    );
  };

  const details = selected && <AlertDetails alert={selected} context={contextOf(selected)} />;
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("alert.title")}</h1>
        <Segmented<StateFilter>
          value={state}
          onChange={setState}
          aria-label={t("word.state")}
          options={[
            { value: "active", label: t("alert.state-active") },
            { value: "cleared", label: t("alert.state-cleared") },
            { value: "all", label: t("list.all") },
          ]}
        />
        <Select
          allowClear
          value={severity}
          onChange={setSeverity}
          placeholder={t("severity.title")}
          aria-label={t("severity.title")}
          style={{ width: 120 }}
          options={SEVERITIES.map((s) => ({ value: s, label: t(`severity.${s}`) }))}
        />
      </header>
      <div className={items.length > 0 ? "split" : undefined}>
        <div>
          {list()}
          <More list={alerts} />
        </div>
        {!phone && items.length > 0 && (
          <aside ref={beside} tabIndex={-1} aria-label={t("alert.details")} onKeyDown={backToList}>
            {details ?? <Card size="small">{t("alert.select")}</Card>}
          </aside>
        )}
      </div>
      {phone && (
        <Drawer placement="bottom" size="80%" open={selected !== null} onClose={() => select(null)}>
          {details}
        </Drawer>
      )}
      <ProvenanceDrawer position={position} onClose={() => setPosition(null)} />
      {caseFor && <CaseFor alert={caseFor} onClose={() => setCaseFor(null)} />}
    </div>
  );
}

function CaseFor({ alert, onClose }: { alert: Alert; onClose: () => void }) {
  const { t, p } = useT();
  useFocusBack();
  const what = p(alert.title_zh, alert.title_en);
  const name = p(alert.entity_name, alert.entity_name_en);
  const threshold =
    alert.threshold === null ? "" : ` · ${t("alert.threshold")} ${quantity(alert.threshold, alert.unit)}`;
  return (
    <OpenCaseDialog
      open
      onClose={onClose}
      initial={{
        // The rule's title mostly names the entity; when it does not, the case's title must.
        title: what.includes(name) ? what : `${name} ${what}`,
        description: `${what}\n${t("alert.value")} ${quantity(alert.value, alert.unit)}${threshold}`,
        alert_id: alert.id,
        entity_id: alert.entity_id,
        severity: alert.severity,
        location: alert.location ?? undefined,
      }}
    />
  );
}

/** A value that decided. What a forecast says has the moment it speaks of; its method has the run's, and leads to the forecast. */
function DecidedLine({ type, named }: { type: string; named: Alert["decided"][number] }) {
  const { t } = useT();
  const word = keyOf("decided", named.name);
  const foretold = named.name.startsWith("forecast_");
  return (
    <div>
      {word ? t(word) : <AttributeName type={type} name={named.name} />} {quantity(named.value, named.unit)}
      {foretold && named.observed_at && (
        <>
          {" · "}
          <Time at={named.observed_at} bare />
        </>
      )}
      {named.entity_id && named.name === "forecast_method" && (
        <>
          {" · "}
          <Link to={`/entities/${encodeURIComponent(named.entity_id)}`}>{named.entity_id}</Link>
        </>
      )}
      {named.entity_id && !foretold && ` · ${named.entity_id}`}
    </div>
  );
}

function AlertDetails({ alert, context }: { alert: Alert; context: AlertContext }) {
  const { t, p } = useT();
  const runbook = p(alert.runbook_zh, alert.runbook_en);
  return (
    <Card
      size="small"
      style={{ borderTop: `3px solid ${SEVERITY_COLOURS[alert.severity]}` }}
      title={p(alert.title_zh, alert.title_en)}
      extra={<SeverityTag severity={alert.severity} />}
    >
      <div className="stack">
        <Doubt doubt={alert.doubt} />
        <div>
          <Link to={`/entities/${encodeURIComponent(alert.entity_id)}`}>
            {p(alert.entity_name, alert.entity_name_en) || alert.entity_id}
          </Link>
          {alert.value !== null && <div className="big-value">{quantity(alert.value, alert.unit)}</div>}
          <div className="quiet">
            {alert.threshold !== null &&
              `${t("alert.threshold")} ${quantity(alert.threshold, alert.unit)} · `}
            {t("alert.rule")} <code>{alert.rule_id}</code> v{alert.rule_version}
          </div>
        </div>
        <dl className="problem">
          <dt>{t("alert.raised")}</dt>
          <dd>
            <Time at={alert.raised_at} />
          </dd>
          {alert.cleared_at && (
            <>
              <dt>{t("alert.cleared")}</dt>
              <dd>
                <Time at={alert.cleared_at} />
              </dd>
            </>
          )}
          {alert.decided.length > 0 && (
            <>
              <dt>{t("alert.decided")}</dt>
              <dd data-testid="alert-decided">
                {alert.decided.map((named) => (
                  <DecidedLine
                    key={`${named.name} ${named.entity_id} ${JSON.stringify(named.value)}`}
                    type={alert.entity_type}
                    named={named}
                  />
                ))}
              </dd>
            </>
          )}
          <dt>{t("alert.acknowledge")}</dt>
          <dd>
            {alert.acknowledged_at ? (
              <>
                {alert.acknowledged_by} · <Time at={alert.acknowledged_at} />
              </>
            ) : (
              t("alert.not-acknowledged")
            )}
          </dd>
        </dl>
        <div className="toolbar">
          <ActionBar actions={alertActions} context={context} />
        </div>
        <Affected alertId={alert.id} entityId={alert.entity_id} />
        <Told alertId={alert.id} />
        <section>
          <h3>{t("alert.runbook")}</h3>
          {runbook ? <Markdown text={runbook} /> : <p className="quiet">{t("alert.runbook-none")}</p>}
        </section>
      </div>
    </Card>
  );
}
