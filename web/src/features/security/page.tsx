/** How safe the platform is: a summary that is read at a glance, then each figure with its source and time. */
import "./security.css";
import { useQuery } from "@tanstack/react-query";
import { Alert, Table, type TableColumnsType, Tag } from "antd";
import { type ReactNode, useMemo } from "react";
import { Link } from "react-router";
import { type Translate, useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { number, time, ZONE_LABEL } from "../../lib/format.ts";
import type { SecurityView } from "../../lib/types.ts";
import { AXIS, Chart, type ChartOption } from "../../ui/chart.tsx";
import { Loading, useFailure } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { type SecurityContext, securityActions } from "./actions.tsx";
import { judge, type Verdict } from "./judge.ts";
import { securityQuery } from "./queries.ts";

const GIB = 2 ** 30;
const HOUR_S = 3_600;
/** Days from which an end is only far away: a certificate that was made here may name one in another age. */
const FAR_DAYS = 3_650;
/** Hours from which an age is said in days. */
const DAYS_FROM_HOURS = 48;

/** An age in hours, a long one in days. */
function age(seconds: number, t: Translate): string {
  const hours = Math.floor(seconds / HOUR_S);
  return hours < DAYS_FROM_HOURS
    ? t("security.hours", { count: hours })
    : t("security.day-count", { count: Math.floor(hours / 24) });
}

export function Page() {
  const { t } = useT();
  const view = useQuery(securityQuery);
  const failure = useFailure(view);
  const context: SecurityContext = { refresh: () => view.refetch() };
  useActionKeys(securityActions, context);
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("security.title")}</h1>
        <span className="quiet">{t("security.about")}</span>
        <span className="grow" />
        <ActionBar actions={securityActions} context={context} />
      </header>
      {failure ?? (view.data ? <View view={view.data} /> : <Loading tall />)}
    </div>
  );
}

function View({ view }: { view: SecurityView }) {
  return (
    <>
      <Summary view={view} />
      <SignIns view={view} />
      <Peers view={view} />
      <Changes view={view} />
      <Certificates view={view} />
      <Holes view={view} />
    </>
  );
}

function Summary({ view }: { view: SecurityView }) {
  const { t } = useT();
  const verdict = judge(view);
  const { holes, backup, audit, disk, certificates } = view;
  const days = certificates.days_left_min;
  const drill =
    backup.drill_age_seconds === null
      ? t("security.drill-never")
      : t(backup.drill_good ? "security.drill-good" : "security.drill-bad", {
          age: age(backup.drill_age_seconds, t),
        });
  const cards: [id: string, title: string, verdict: Verdict, figure: string, more: string][] = [
    [
      "sign-ins",
      t("security.sign-ins"),
      verdict.signIns,
      t("security.sign-ins-figure", { count: view.sign_ins.refused }),
      t("security.sign-ins-before", {
        count: view.sign_ins.refused_before,
        hour: view.sign_ins.refused_hour,
      }),
    ],
    [
      "peers",
      t("security.peers"),
      verdict.peers,
      t("security.peers-figure", { count: view.peers.waiting.length }),
      "",
    ],
    [
      "certificates",
      t("security.certificates"),
      verdict.certificates,
      days === null
        ? t("security.certificates-none")
        : days < 0
          ? t("security.certificates-over", { days: -days })
          : days > FAR_DAYS
            ? t("security.certificates-far", { years: FAR_DAYS / 365 })
            : t("security.certificates-figure", { days }),
      "",
    ],
    [
      "holes",
      t("security.holes"),
      verdict.holes,
      holes?.has_data
        ? t("security.holes-figure", { grave: holes.grave ?? 0, total: holes.total ?? 0 })
        : t("security.unknown"),
      holes?.has_data ? "" : t("security.holes-no-data"),
    ],
    [
      "summary",
      t("security.backup"),
      verdict.backup,
      backup.age_seconds === null
        ? t("security.backup-never")
        : t("security.backup-figure", { age: age(backup.age_seconds, t) }),
      drill,
    ],
    [
      "summary",
      t("security.audit"),
      verdict.audit,
      audit.whole === null
        ? t("security.audit-unproved")
        : audit.whole
          ? t("security.audit-whole")
          : t("security.audit-broken", { row: audit.broken_from ?? "—" }),
      audit.proved_at === null
        ? ""
        : t("security.audit-rows", { rows: audit.rows ?? 0, at: `${time(audit.proved_at)} ${ZONE_LABEL}` }),
    ],
    [
      "summary",
      t("security.disk"),
      verdict.disk,
      disk
        ? t("security.disk-figure", {
            percent: number((disk.free_bytes / Math.max(disk.total_bytes, 1)) * 100, 1),
          })
        : t("security.unknown"),
      disk
        ? t("security.disk-about", {
            free: number(disk.free_bytes / GIB, 0),
            total: number(disk.total_bytes / GIB, 0),
          })
        : "",
    ],
  ];
  return (
    <section id="summary" aria-label={t("security.summary")}>
      <p className="quiet">{t("security.at", { at: `${time(view.at)} ${ZONE_LABEL}` })}</p>
      <ul className="security-summary">
        {cards.map(([id, title, how, figure, more]) => (
          <li key={title} className={`security-${how}`} data-testid="security-card">
            <a href={`#${id}`}>
              <span>
                {title} · {t(`security.${how}`)}
              </span>
              <strong>{figure}</strong>
              {more && <span className="quiet">{more}</span>}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** One kind of figures, with where they are from. */
function Section({
  id,
  title,
  source,
  children,
}: {
  id: string;
  title: string;
  source?: string;
  children: ReactNode;
}) {
  const { t } = useT();
  const key = source ? keyOf("security", `source-${source}`) : undefined;
  return (
    <section id={id} className="security-section" aria-label={title}>
      <h2>{title}</h2>
      {source && (
        <p className="quiet">
          {t("security.source")}: {key ? t(key) : source}
        </p>
      )}
      {children}
    </section>
  );
}

/** A table that says when it is empty and scrolls within itself on a phone. */
function List<Row extends object>({
  rows,
  rowKey,
  columns,
}: {
  rows: Row[];
  rowKey: (row: Row) => string;
  columns: TableColumnsType<Row>;
}) {
  const { t } = useT();
  if (rows.length === 0) return <p className="quiet">{t("security.none")}</p>;
  return (
    <Table<Row>
      size="small"
      className="tabular"
      rowKey={rowKey}
      dataSource={rows}
      columns={columns}
      pagination={false}
      scroll={{ x: "max-content" }}
    />
  );
}

type Count = SecurityView["sign_ins"]["by_account"][number];

function SignIns({ view }: { view: SecurityView }) {
  const { t } = useT();
  const { sign_ins } = view;
  const option = useMemo<ChartOption>(
    () => ({
      animation: false,
      grid: { left: 10, right: 16, top: 14, bottom: 6, containLabel: true },
      tooltip: { trigger: "axis", formatter: hourTip },
      xAxis: {
        type: "time",
        ...AXIS,
        splitLine: { show: false },
        axisLabel: { ...AXIS.axisLabel, hideOverlap: true },
      },
      yAxis: { type: "value", minInterval: 1, ...AXIS },
      series: [
        {
          type: "line",
          step: "end",
          showSymbol: false,
          areaStyle: { opacity: 0.15 },
          lineStyle: { color: "#c9252d" },
          itemStyle: { color: "#c9252d" },
          // The hour that is not over lasts until now.
          data: [
            ...sign_ins.by_hour.map((hour) => [Date.parse(hour.from), hour.refused]),
            [Date.parse(view.at), sign_ins.by_hour.at(-1)?.refused ?? 0],
          ],
        },
      ],
    }),
    [sign_ins.by_hour, view.at],
  );
  const counts = (title: string, whose: string, rows: Count[], nameless: string) => (
    <div>
      <h3>{title}</h3>
      <List<Count>
        rows={rows}
        rowKey={(row) => row.name}
        columns={[
          { title: whose, render: (_, row) => <code>{row.name || nameless}</code> },
          { title: t("security.count"), dataIndex: "refused", align: "right" },
          { title: t("security.last"), render: (_, row) => <Time at={row.last_at} /> },
        ]}
      />
    </div>
  );
  return (
    <Section id="sign-ins" title={t("security.sign-ins")} source={sign_ins.source}>
      <Chart option={option} label={t("security.sign-ins-chart")} height={170} />
      <div className="security-pair">
        {counts(t("security.by-account"), t("security.account"), sign_ins.by_account, "—")}
        {counts(t("security.by-peer"), t("security.peer"), sign_ins.by_peer, t("security.own-machine"))}
      </div>
    </Section>
  );
}

/** Without HTML of its own: a time and a number. */
function hourTip(raw: unknown): string {
  const point = (Array.isArray(raw) ? raw[0] : raw) as { value?: [number, number] } | undefined;
  if (!point?.value) return "";
  return `${time(new Date(point.value[0]).toISOString())} ${ZONE_LABEL}: ${point.value[1]}`;
}

function Peers({ view }: { view: SecurityView }) {
  const { t } = useT();
  const { peers } = view;
  return (
    <Section id="peers" title={t("security.peers")} source={peers.source}>
      <List
        rows={peers.waiting}
        rowKey={(row) => `${row.door} ${row.account} ${row.peer}`}
        columns={[
          { title: t("security.door"), dataIndex: "door" },
          { title: t("security.account"), render: (_, row) => row.account ?? t("security.any") },
          { title: t("security.peer"), render: (_, row) => row.peer ?? t("security.any") },
          { title: t("security.failures"), dataIndex: "failures", align: "right" },
          { title: t("security.until"), render: (_, row) => <Time at={row.until} bare /> },
        ]}
      />
      <h3>{t("security.counters")}</h3>
      <dl className="security-counters">
        {peers.counters.map((counter) => (
          <div key={counter.name}>
            <dt>
              <code>{counter.name}</code>
            </dt>
            <dd>{counter.value}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}

function Changes({ view }: { view: SecurityView }) {
  const { t, p } = useT();
  return (
    <Section id="changes" title={t("security.changes")} source={view.changes.source}>
      <List
        rows={view.changes.items}
        rowKey={(row) => String(row.id)}
        columns={[
          { title: t("audit.at"), render: (_, row) => <Time at={row.at} bare /> },
          {
            title: t("security.change"),
            render: (_, row) => (
              <Link to={`/audit?action=${encodeURIComponent(row.action)}`}>
                {p(row.title_zh, row.title_en) || row.action}
              </Link>
            ),
          },
          { title: t("security.actor"), render: (_, row) => row.actor || "—" },
          { title: t("security.target"), render: (_, row) => <code>{row.target}</code> },
        ]}
      />
    </Section>
  );
}

function Certificates({ view }: { view: SecurityView }) {
  const { t } = useT();
  return (
    <Section id="certificates" title={t("security.certificates")}>
      <List
        rows={view.certificates.items}
        rowKey={(row) => `${row.kind} ${row.source} ${row.name}`}
        columns={[
          {
            title: t("security.certificate"),
            render: (_, row) => {
              const key = keyOf("security-kind", row.kind);
              return (
                <>
                  <div>{key ? t(key) : row.kind}</div>
                  <span className="quiet">{row.name}</span>
                </>
              );
            },
          },
          {
            title: t("security.ends"),
            render: (_, row) => (row.expires_at ? <Time at={row.expires_at} bare /> : t("security.unread")),
          },
          {
            title: t("security.days"),
            align: "right",
            render: (_, row) => (
              <>
                {row.days_left ?? "—"} {row.renews_itself && <Tag>{t("security.renews")}</Tag>}
              </>
            ),
          },
          { title: t("security.source"), render: (_, row) => <code>{row.source}</code> },
        ]}
      />
    </Section>
  );
}

const SEVERITY_COLOURS: Record<string, string> = { critical: "red", high: "volcano", medium: "gold" };

function Holes({ view }: { view: SecurityView }) {
  const { t } = useT();
  const { holes } = view;
  const body = () => {
    if (!holes?.has_data) {
      return (
        <Alert
          type="warning"
          showIcon
          title={t("security.holes-no-data")}
          description={
            <>
              {holes?.unread && <div>{holes.unread}</div>}
              <div>{t("security.holes-mend")}</div>
            </>
          }
        />
      );
    }
    return (
      <>
        <p className="quiet">
          {t("security.holes-about", {
            packages: holes.packages,
            newest: holes.newest ?? "—",
            brought: `${time(holes.brought_at)} ${ZONE_LABEL}`,
          })}
        </p>
        {holes.not_covered > 0 && (
          <Alert
            type="warning"
            showIcon
            title={t("security.holes-not-covered", { count: holes.not_covered })}
          />
        )}
        {holes.items.length === 0 ? (
          <p>{t("security.holes-none")}</p>
        ) : (
          <List
            rows={holes.items}
            rowKey={(row) => `${row.id} ${row.package} ${row.version}`}
            columns={[
              {
                title: t("security.severity"),
                render: (_, row) => {
                  const key = keyOf("security-severity", row.severity);
                  return <Tag color={SEVERITY_COLOURS[row.severity]}>{key ? t(key) : row.severity}</Tag>;
                },
              },
              {
                title: t("security.package"),
                render: (_, row) => (
                  <>
                    <code>
                      {row.package} {row.version}
                    </code>
                    {row.builds_only && <div className="quiet">{t("security.builds-only")}</div>}
                  </>
                ),
              },
              {
                title: t("security.hole"),
                render: (_, row) => (
                  <>
                    <code>{row.id}</code>
                    <div className="quiet">{row.summary}</div>
                  </>
                ),
              },
              { title: t("security.mended"), render: (_, row) => row.mended_in ?? t("security.not-mended") },
            ]}
          />
        )}
      </>
    );
  };
  return (
    <Section id="holes" title={t("security.holes")}>
      {body()}
    </Section>
  );
}
