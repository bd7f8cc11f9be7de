/** A back-test: choose a past period, run, see what a rule would have raised. */
import { useQuery } from "@tanstack/react-query";
import { Alert as Box, DatePicker, Drawer, Input, Progress, Table } from "antd";
import type { Dayjs } from "dayjs";
import { useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import type { BackTest, BackTestAlert, BackTestReport, Rule } from "../../lib/types.ts";
import { Nothing } from "../../ui/states.tsx";
import { SeverityTag, Time } from "../../ui/tags.tsx";
import { tryActions } from "./actions.tsx";
import { backTestQuery } from "./queries.ts";

/** Widest drawer, pixels. */
const DRAWER_WIDTH = 760;
/** Alerts on one page of the list. */
const ROWS = 20;

export function Report({ report }: { report: BackTestReport }) {
  const { t, p } = useT();
  if (report.alerts === 0 && report.failures === 0) return <Nothing title={t("rule.would-none")} />;
  const most = Math.max(1, ...report.by_day.map((day) => day.alerts));
  return (
    <div data-testid="back-test-report">
      <p>
        {t("rule.would", {
          alerts: report.alerts,
          storms: report.storms,
          open: report.open,
          observations: report.observations,
          failures: report.failures,
        })}
      </p>
      {report.is_cut && <Box type="warning" showIcon title={t("rule.cut")} />}
      {report.first_failure && <Box type="warning" showIcon title={report.first_failure} />}
      <h3>{t("rule.by-day")}</h3>
      <dl className="rule-days">
        {report.by_day.map((day) => (
          <div key={day.name}>
            <dt>{day.name}</dt>
            <dd>
              <meter min={0} max={most} value={day.alerts} aria-label={`${day.name}: ${day.alerts}`} />{" "}
              {day.alerts}
            </dd>
          </div>
        ))}
      </dl>
      <Table<BackTestAlert>
        size="small"
        rowKey={(alert) => `${alert.entity_id} ${alert.from}`}
        dataSource={report.listed}
        pagination={{ pageSize: ROWS, hideOnSinglePage: true, showSizeChanger: false }}
        scroll={{ x: 640 }}
        columns={[
          { title: t("rule.from"), width: 160, render: (_, alert) => <Time at={alert.from} bare /> },
          {
            title: t("rule.until"),
            width: 160,
            render: (_, alert) => (alert.until ? <Time at={alert.until} bare /> : t("rule.up")),
          },
          {
            title: t("rule.alert"),
            render: (_, alert) => (
              <>
                <SeverityTag severity={alert.severity} /> {p(alert.title_zh, alert.title_en)}
                <div className="quiet">{alert.entity_name ?? alert.entity_id}</div>
              </>
            ),
          },
        ]}
      />
    </div>
  );
}

export function BackTestDrawer({ rule, onClose }: { rule: Rule | null; onClose: () => void }) {
  const { t } = useT();
  const [text, setText] = useState("");
  const [period, setPeriod] = useState<[Dayjs, Dayjs] | null>(null);
  const [begun, setBegun] = useState<BackTest | null>(null);
  const looked = useQuery({ ...backTestQuery(begun?.id ?? 0), enabled: begun !== null });
  const test = begun && (looked.data ?? begun);
  const running = test?.state === "running" ? test : null;
  const [from, until] = period ?? [];
  const context = {
    rule,
    text,
    period: from && until ? { from: from.toISOString(), until: until.toISOString() } : null,
    running,
    began: setBegun,
  };
  return (
    <Drawer
      open
      size={DRAWER_WIDTH}
      title={rule ? `${t("rule.try")} · ${rule.id}` : t("rule.try-text")}
      onClose={onClose}
    >
      <div className="rule-form">
        {rule === null && (
          <Input.TextArea
            rows={12}
            value={text}
            aria-label={t("rule.text")}
            placeholder={t("rule.text")}
            spellCheck={false}
            onChange={(event) => setText(event.target.value)}
          />
        )}
        <DatePicker.RangePicker
          showTime
          value={period}
          aria-label={t("rule.period")}
          placeholder={[t("rule.from"), t("rule.until")]}
          onChange={(chosen) => setPeriod(chosen?.[0] && chosen[1] ? [chosen[0], chosen[1]] : null)}
        />
        <div>
          <ActionBar actions={tryActions} context={context} />
        </div>
      </div>
      {running && (
        <div role="status">
          <p>{t("rule.running", { done: running.days_done, total: running.days_total })}</p>
          <Progress percent={Math.round((100 * running.days_done) / Math.max(1, running.days_total))} />
        </div>
      )}
      {test?.state === "failed" && (
        <Box
          type="error"
          showIcon
          title={t("rule.stopped")}
          description={test.problems
            .map((problem) => `${problem.what} (${problem.place}); ${problem.mend}`)
            .join("\n")}
        />
      )}
      {test?.report && <Report report={test.report} />}
    </Drawer>
  );
}
