/** Duty: who is on, the roster, hand-overs, response plans and drills, contacts, and the shift report. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Card, DatePicker, Select, Tabs } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { useAddress } from "../../lib/address.ts";
import { useLive } from "../../lib/live.ts";
import { can, useUser } from "../../lib/session.ts";
import type { DutyNow, DutyTurn } from "../../lib/types.ts";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { treeQuery } from "../organisation/queries.ts";
import { type Dialog, pageActions } from "./actions.tsx";
import { Contacts } from "./contacts.tsx";
import { DutyDialog } from "./dialogs.tsx";
import "./duty.css";
import { HandOvers } from "./hand-overs.tsx";
import { Plans } from "./plans.tsx";
import { nowQuery, ROOM, rosterQuery } from "./queries.ts";
import { Resources } from "./resources.tsx";
import { Open, Roster } from "./roster.tsx";
import { RosterImport } from "./roster-import.tsx";

const DAY = "YYYY-MM-DD";
/** The command centre, where the caller has no organisation of their own. */
const CENTRE = "command-centre";

function Turns({ title, turns }: { title: string; turns: DutyTurn[] }) {
  const { t, p } = useT();
  return (
    <section>
      <h3>{title}</h3>
      {turns.length === 0 && <p className="quiet">{t("duty.nobody")}</p>}
      <ul className="duty-turns">
        {turns.map((turn) => (
          <li key={turn.id}>
            <strong>{turn.user_name}</strong> {turn.post} · {p(turn.pattern_zh, turn.pattern_en)}{" "}
            <Open turn={turn} />
            <div className="quiet">
              <Time at={turn.from} bare /> – <Time at={turn.until} />
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function OnDuty({ one }: { one: DutyNow }) {
  const { t, p } = useT();
  return (
    <Card size="small" title={p(one.name_zh, one.name_en)} data-testid="on-duty">
      <Turns title={t("duty.on")} turns={one.on} />
      <Turns title={t("duty.next")} turns={one.next} />
    </Card>
  );
}

function Now() {
  const { t } = useT();
  const now = useQuery(nowQuery);
  const failure = useFailure(now);
  if (failure) return failure;
  if (!now.data) return <Loading tall />;
  if (now.data.items.length === 0)
    return <Nothing title={t("duty.no-roster")} mend={t("duty.no-roster-mend")} />;
  return (
    <div className="duty-cards">
      {now.data.items.map((one) => (
        <OnDuty key={one.organisation} one={one} />
      ))}
    </div>
  );
}

/** Turns that an alarm names; all are counted. */
const TURNS_NAMED = 5;

/** What must not be overlooked: turns whose person left, hand-overs that nobody signed, shifts that nobody handed over. */
function Alarms({ toTab }: { toTab: (tab: string) => void }) {
  const { t, p } = useT();
  const user = useUser();
  const now = useQuery(nowQuery);
  const { unsigned = [], missing = [], open = [] } = now.data ?? {};
  const keeps = user !== null && can(user, "duty.manage");
  return (
    <>
      {keeps && open.length > 0 && (
        <Alert
          type="error"
          showIcon
          role="alert"
          data-testid="duty-open-turns"
          title={t("duty.open-turns", { count: open.length })}
          description={
            open
              .slice(0, TURNS_NAMED)
              .map(
                (turn) => `${turn.day} ${p(turn.pattern_zh, turn.pattern_en)} ${turn.post} ${turn.user_name}`,
              )
              .join(t("duty.between")) + (open.length > TURNS_NAMED ? "…" : "")
          }
          action={
            <Button type="link" size="small" onClick={() => toTab("roster")}>
              {t("duty.tab-roster")}
            </Button>
          }
        />
      )}
      {unsigned.length > 0 && (
        <Alert
          type="error"
          showIcon
          role="alert"
          data-testid="duty-unsigned"
          title={t("duty.unsigned", { count: unsigned.length })}
          description={unsigned
            .map((row) => `${row.day} ${p(row.pattern_zh, row.pattern_en)} ${row.outgoing}`)
            .join(t("duty.between"))}
          action={
            <Button type="link" size="small" onClick={() => toTab("hand-overs")}>
              {t("duty.tab-hand-overs")}
            </Button>
          }
        />
      )}
      {missing.length > 0 && (
        <Alert
          type="warning"
          showIcon
          role="alert"
          data-testid="duty-missing"
          title={t("duty.missing", { count: missing.length })}
          description={missing
            .map((row) => `${row.day} ${p(row.pattern_zh, row.pattern_en)}`)
            .join(t("duty.between"))}
        />
      )}
    </>
  );
}

export function Page() {
  const { t, p, language } = useT();
  const user = useUser();
  const client = useQueryClient();
  const [parameters, to] = useAddress();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const [chosen, setChosen] = useState<string | undefined>(user?.organisation ?? undefined);
  const [period, setPeriod] = useState<[Dayjs, Dayjs]>(() => [dayjs().startOf("day"), dayjs().endOf("day")]);
  const tree = useQuery(treeQuery);
  const organisations = (tree.data?.organisations ?? []).filter((one) => !one.disabled);
  const organisation = chosen ?? organisations.find((one) => one.id === CENTRE)?.id;
  const today = dayjs().format(DAY);
  const shifts = useQuery({
    ...rosterQuery(organisation ?? "", today, today),
    enabled: organisation !== undefined,
  });
  useLive("duty", () => client.invalidateQueries({ queryKey: ROOM }));
  const alert = Number(parameters.get("alert")) || null;
  const context = {
    organisation,
    language,
    open: setDialog,
    period: { from: period[0].toISOString(), until: period[1].toISOString() },
    download: (path: string) => window.location.assign(path),
  };
  useActionKeys(pageActions, dialog ? null : context);
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("duty.title")}</h1>
        <Select
          className="duty-organisation"
          aria-label={t("duty.organisation")}
          placeholder={t("duty.choose-organisation")}
          loading={tree.isPending}
          value={organisation}
          onChange={setChosen}
          showSearch
          optionFilterProp="label"
          options={organisations.map((one) => ({ value: one.id, label: p(one.name_zh, one.name_en) }))}
        />
        <span className="grow" />
        <span className="quiet">{t("duty.report-period")}</span>
        <DatePicker.RangePicker
          showTime={{ format: "HH:mm" }}
          format="YYYY-MM-DD HH:mm"
          aria-label={t("duty.report-period")}
          allowClear={false}
          value={period}
          onChange={(days) => days?.[0] && days[1] && setPeriod([days[0], days[1]])}
        />
        <ActionBar actions={pageActions} context={context} />
      </header>
      <Alarms toTab={(tab) => to({ tab })} />
      <Tabs
        activeKey={parameters.get("tab") ?? "now"}
        onChange={(tab) => to({ tab })}
        items={[
          { key: "now", label: t("duty.tab-now"), children: <Now /> },
          {
            key: "roster",
            label: t("duty.tab-roster"),
            children: organisation && <Roster organisation={organisation} context={context} />,
          },
          {
            key: "hand-overs",
            label: t("duty.tab-hand-overs"),
            children: organisation && <HandOvers organisation={organisation} open={setDialog} />,
          },
          {
            key: "plans",
            label: t("duty.tab-plans"),
            children: (
              <Plans
                opened={Number(parameters.get("activation")) || null}
                openOne={(id) => to({ activation: id === null ? null : String(id) })}
                open={setDialog}
                context={context}
                alert={alert}
              />
            ),
          },
          { key: "resources", label: t("duty.tab-resources"), children: <Resources /> },
          {
            key: "contacts",
            label: t("duty.tab-contacts"),
            children: organisation && <Contacts organisation={organisation} context={context} />,
          },
        ]}
      />
      {dialog?.kind === "import" && organisation && (
        <RosterImport
          organisation={organisation}
          patterns={shifts.data?.patterns ?? []}
          changed={() => client.invalidateQueries({ queryKey: ROOM })}
          onClose={() => setDialog(null)}
        />
      )}
      {dialog && dialog.kind !== "import" && organisation && (
        <DutyDialog
          dialog={dialog}
          organisation={organisation}
          patterns={shifts.data?.patterns ?? []}
          startFor={{ alertId: alert, rule: parameters.get("rule") }}
          onClose={() => setDialog(null)}
          started={(id) => to({ tab: "plans", activation: String(id), alert: null, rule: null })}
        />
      )}
    </div>
  );
}
