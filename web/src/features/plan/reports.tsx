/** Reported figures: the page of what is due and what waits, and the section on an indicator's page. */
import "./plan.css";
import { LockOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Card, Drawer, Table, Tag, Timeline, Tooltip } from "antd";
import { type ReactNode, useState } from "react";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { keyOf } from "../../i18n/words.ts";
import { ActionBar } from "../../lib/actions.tsx";
import { number } from "../../lib/format.ts";
import type {
  Indicator,
  IndicatorComparison,
  IndicatorDue,
  IndicatorFiling,
  IndicatorLock,
  IndicatorReporting,
} from "../../lib/types.ts";
import { Loaded, Nothing } from "../../ui/states.tsx";
import { Time } from "../../ui/tags.tsx";
import { DecisionDialog, LiftDialog, LockDialog, ReportDialog, type Reported } from "./dialogs.tsx";
import { EvidenceFiles } from "./evidence.tsx";
import { indicatorPath } from "./list.ts";
import { Figure } from "./marks.tsx";
import { type Decision, filingQuery, filingsQuery, makeCase, reportingQuery, submit } from "./queries.ts";
import { claimActions, filingActions, lockActions } from "./report-actions.tsx";

/** Widest drawer, pixels. */
const DRAWER_WIDTH = 520;

const COLOURS: Record<string, string> = {
  draft: "default",
  submitted: "processing",
  returned: "volcano",
  approved: "success",
  withdrawn: "default",
};

/** What a dialog is open for. */
type Open =
  | { kind: "report"; of: Reported; period?: string; filing?: IndicatorFiling; corrects?: IndicatorFiling }
  | { kind: "decide"; filing: IndicatorFiling; decision: Decision }
  | { kind: "history"; filing: IndicatorFiling }
  | { kind: "lock"; period?: string }
  | { kind: "lift"; held: IndicatorLock };

function Dialogs({ open, onClose }: { open: Open | null; onClose: () => void }) {
  switch (open?.kind) {
    case "report":
      return <ReportDialog {...open} onClose={onClose} />;
    case "decide":
      return <DecisionDialog {...open} onClose={onClose} />;
    case "lock":
      return <LockDialog period={open.period} onClose={onClose} />;
    case "lift":
      return <LiftDialog held={open.held} onClose={onClose} />;
    default:
      return null;
  }
}

const reportedOf = (filing: IndicatorFiling): Reported => ({ ...filing, id: filing.indicator_id });

export function Page() {
  const found = useQuery(reportingQuery);
  return (
    <Loaded query={found} tall>
      {(reporting) => <ReportingView reporting={reporting} />}
    </Loaded>
  );
}

function useLevelWord() {
  const { t } = useT();
  return (level: string) => {
    const key = keyOf("reports.level", level);
    return key ? t(key) : level;
  };
}

function ReportingView({ reporting }: { reporting: IndicatorReporting }) {
  const { t } = useT();
  const levelWord = useLevelWord();
  const [open, setOpen] = useState<Open | null>(null);
  const period = reporting.period ?? undefined;
  const list = (title: string, items: IndicatorFiling[], none?: string) =>
    (items.length > 0 || none) && (
      <Card size="small" title={t("word.counted", { title, n: items.length })}>
        {items.length === 0 && <span className="quiet">{none}</span>}
        <Filings items={items} named onOpen={setOpen} />
      </Card>
    );
  return (
    <div className="page" data-testid="reporting">
      <header className="page-head">
        <h1>{t("reports.title")}</h1>
        <span className="quiet">
          {t("reports.way", { levels: reporting.levels.map(levelWord).join(" → ") })}
        </span>
      </header>
      {list(t("reports.waiting"), reporting.waiting, t("reports.waiting-none"))}
      {list(t("reports.mine"), reporting.mine)}
      {list(t("reports.under-way"), reporting.under_way)}
      <Card
        size="small"
        title={t("word.counted", {
          title: t("reports.due", { period: period ?? "" }),
          n: reporting.due.length,
        })}
      >
        <Due due={reporting.due} onReport={(of) => setOpen({ kind: "report", of, period })} />
      </Card>
      <Card
        size="small"
        title={t("reports.locks")}
        extra={
          reporting.may_lock && (
            <Button
              size="small"
              icon={<LockOutlined />}
              data-action="lock.lock"
              onClick={() => setOpen({ kind: "lock", period })}
            >
              {t("reports.lock")}
            </Button>
          )
        }
      >
        <Locks locks={reporting.locks} onLift={(held) => setOpen({ kind: "lift", held })} />
      </Card>
      <History open={open} onClose={() => setOpen(null)} />
      <Dialogs open={open} onClose={() => setOpen(null)} />
    </div>
  );
}

function Due({ due, onReport }: { due: IndicatorDue[]; onReport: (of: Reported) => void }) {
  const { t, p } = useT();
  if (due.length === 0) return <span className="quiet">{t("reports.due-none")}</span>;
  const ownFirst = [...due].sort((a, b) => Number(b.may_report) - Number(a.may_report));
  return (
    <Table
      size="small"
      rowKey="indicator_id"
      dataSource={ownFirst}
      pagination={false}
      columns={[
        {
          title: t("plan.name"),
          render: (_, each) => (
            <Link to={indicatorPath(each.indicator_id)}>{p(each.name_zh, each.name_en)}</Link>
          ),
        },
        {
          title: t("reports.unit"),
          width: 220,
          responsive: ["md"],
          render: (_, { organisation }) =>
            organisation ? p(organisation.name_zh, organisation.name_en) : <span className="quiet">—</span>,
        },
        {
          title: t("reports.latest"),
          align: "right",
          render: (_, each) => (
            <>
              <Figure value={each.latest} unit={p(each.unit_zh, each.unit_en)} />
              {each.latest_period && <span className="quiet"> · {each.latest_period}</span>}
            </>
          ),
        },
        {
          width: 84,
          align: "right",
          render: (_, each) =>
            each.may_report && (
              <Button
                size="small"
                data-action="due.report"
                onClick={() => onReport({ ...each, id: each.indicator_id })}
              >
                {t("reports.report")}
              </Button>
            ),
        },
      ]}
    />
  );
}

function Locks({ locks, onLift }: { locks: IndicatorLock[]; onLift: (held: IndicatorLock) => void }) {
  const { t } = useT();
  if (locks.length === 0) return <span className="quiet">{t("reports.locks-none")}</span>;
  return (
    <ul className="plain-list">
      {locks.map((held) => (
        <li key={held.id} className="filing" data-testid="lock-row">
          <div className="filing-head">
            <Tag
              color={held.lifted_at ? "default" : "gold"}
              icon={held.lifted_at ? undefined : <LockOutlined />}
            >
              {held.period}
            </Tag>
            <span>{t("reports.locked-by", { name: held.locked_by, reason: held.reason })}</span>
            <span className="quiet">
              <Time at={held.locked_at} />
            </span>
            <span className="grow" />
            <ActionBar actions={lockActions} context={{ lock: held, lift: onLift }} size="small" />
          </div>
          {held.lifted_by && (
            <div className="quiet">
              {t("reports.lifted", { name: held.lifted_by, reason: held.lift_reason ?? "" })}
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}

/** What was reported of an indicator, and claims beside what was measured. */
export function Reports({ indicator }: { indicator: Indicator }) {
  const { t, p } = useT();
  const found = useQuery(filingsQuery(indicator.id));
  const [open, setOpen] = useState<Open | null>(null);
  return (
    <Loaded query={found}>
      {({ items, comparisons, responsible, may_report }) => (
        <>
          {comparisons.length > 0 && (
            <Card size="small" title={t("reports.claims")}>
              <Claims indicator={indicator} comparisons={comparisons} />
            </Card>
          )}
          <Card
            size="small"
            title={t("reports.section")}
            extra={
              responsible && (
                <span className="quiet">
                  {t("reports.responsible", { name: p(responsible.name_zh, responsible.name_en) })}
                  {!may_report && ` · ${t("reports.not-yours")}`}
                </span>
              )
            }
          >
            {items.length === 0 ? (
              <Nothing title={t("reports.none")} />
            ) : (
              <Filings items={items} onOpen={setOpen} />
            )}
          </Card>
          <History open={open} onClose={() => setOpen(null)} />
          <Dialogs open={open} onClose={() => setOpen(null)} />
        </>
      )}
    </Loaded>
  );
}

function Claims({ indicator, comparisons }: { indicator: Indicator; comparisons: IndicatorComparison[] }) {
  const { t, p } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const unit = p(indicator.unit_zh, indicator.unit_en);
  const make = async ({ period }: IndicatorComparison) => {
    const made = await makeCase(indicator.id, period);
    message.success(t("reports.case-made", { number: made.number }));
    void queryClient.invalidateQueries({ queryKey: ["plan"] });
  };
  const sign = (value: number) => `${value > 0 ? "+" : ""}${number(value)}`;
  return (
    <Table
      size="small"
      rowKey="period"
      dataSource={comparisons}
      pagination={false}
      scroll={{ x: 620 }}
      columns={[
        { title: t("plan.period"), dataIndex: "period", width: 100 },
        {
          title: t("reports.claimed"),
          align: "right",
          render: (_, each) => <Figure value={each.claimed} unit={unit} />,
        },
        {
          title: t("reports.measured"),
          align: "right",
          render: (_, each) =>
            each.measured === null ? (
              <span className="quiet">{t("reports.no-measured")}</span>
            ) : (
              <Figure value={each.measured} unit={unit} />
            ),
        },
        {
          title: t("reports.difference"),
          align: "right",
          render: (_, { difference, difference_percent }) =>
            difference === null ? (
              <span className="quiet">—</span>
            ) : (
              <span className={difference === 0 ? "quiet" : "claim-apart"}>
                {sign(difference)}
                {difference_percent !== null && ` (${sign(Number(difference_percent.toFixed(1)))}%)`}
              </span>
            ),
        },
        {
          title: t("reports.case"),
          width: 250,
          render: (_, comparison) => (
            <span className="filing-head">
              {comparison.case && (
                <Link to={`/cases/${comparison.case.case_id}`}>{comparison.case.number}</Link>
              )}
              <ActionBar actions={claimActions} context={{ comparison, makeCase: make }} size="small" />
            </span>
          ),
        },
      ]}
    />
  );
}

function Filings({
  items,
  named,
  onOpen,
}: {
  items: IndicatorFiling[];
  /** Whether each says of which indicator it is. */
  named?: boolean;
  onOpen: (open: Open) => void;
}) {
  return (
    <ul className="plain-list">
      {items.map((filing) => (
        <li key={filing.id} className="filing" data-testid="filing-row" data-state={filing.state}>
          <FilingRow filing={filing} named={named} onOpen={onOpen} />
        </li>
      ))}
    </ul>
  );
}

function FilingRow({
  filing,
  named,
  onOpen,
}: {
  filing: IndicatorFiling;
  named?: boolean;
  onOpen: (open: Open) => void;
}) {
  const { t, p } = useT();
  const { message } = App.useApp();
  const queryClient = useQueryClient();
  const unit = p(filing.unit_zh, filing.unit_en);
  const context = {
    filing,
    submit: async (one: IndicatorFiling) => {
      await submit(one);
      message.success(t("reports.done-submit"));
      void queryClient.invalidateQueries({ queryKey: ["plan"] });
    },
    edit: (one: IndicatorFiling) => onOpen({ kind: "report", of: reportedOf(one), filing: one }),
    correct: (one: IndicatorFiling) => onOpen({ kind: "report", of: reportedOf(one), corrects: one }),
    decide: (one: IndicatorFiling, decision: Decision) => onOpen({ kind: "decide", filing: one, decision }),
  };
  return (
    <>
      <div className="filing-head">
        {named && (
          <strong>
            <Link to={indicatorPath(filing.indicator_id)}>{p(filing.name_zh, filing.name_en)}</Link>
          </strong>
        )}
        <span>{filing.period}</span>
        <span>
          {filing.old_value !== null && (
            <>
              <s className="quiet">{number(filing.old_value)}</s> →{" "}
            </>
          )}
          <Figure value={filing.value} unit={unit} strong />
        </span>
        <FilingTags filing={filing} />
        <span className="grow" />
        <ActionBar actions={filingActions} context={context} size="small" />
      </div>
      <div className="quiet filing-foot">
        {t("reports.by", { name: filing.by })}
        {filing.organisation &&
          t("word.aside", { text: p(filing.organisation.name_zh, filing.organisation.name_en) })}{" "}
        · <Time at={filing.changed_at} /> · {t("reports.evidence")}: {filing.evidence || "—"}
        {filing.note && ` · ${filing.note}`}
        {filing.reason && ` · ${t("reports.reason")}: ${filing.reason}`} ·{" "}
        <Button
          type="link"
          size="small"
          className="filing-history"
          onClick={() => onOpen({ kind: "history", filing })}
        >
          {t("reports.history")}
        </Button>
      </div>
      <EvidenceFiles report={filing.id} files={filing.files} />
    </>
  );
}

function FilingTags({ filing }: { filing: IndicatorFiling }) {
  const { t } = useT();
  const levelWord = useLevelWord();
  const key = keyOf("reports.state", filing.state);
  const isOver = filing.state === "approved" && !filing.counts;
  return (
    <span className="filing-tags">
      <Tag color={isOver ? "default" : COLOURS[filing.state]}>
        {isOver ? t("reports.corrected") : filing.counts ? t("reports.counts") : key ? t(key) : filing.state}
      </Tag>
      {filing.level && (
        <span className="quiet">{t("reports.waits-for", { level: levelWord(filing.level) })}</span>
      )}
      {filing.corrects !== null && <Tag color="purple">{t("reports.correction")}</Tag>}
      {filing.is_claim && <Tag color="cyan">{t("reports.claim")}</Tag>}
      {filing.lock && (
        <Tooltip title={t("reports.locked-by", { name: filing.lock.locked_by, reason: filing.lock.reason })}>
          <Tag color="gold" icon={<LockOutlined />}>
            {t("reports.locked")}
          </Tag>
        </Tooltip>
      )}
    </span>
  );
}

/** Every step of a figure, with who, when, and the value at that moment. */
function History({ open, onClose }: { open: Open | null; onClose: () => void }) {
  return <ReportDrawer id={open?.kind === "history" ? open.filing.id : null} onClose={onClose} />;
}

/** A report with its files and every step of its way: what proves a figure that no device sent. */
export function ReportDrawer({ id, onClose }: { id: number | null; onClose: () => void }) {
  const { t } = useT();
  return (
    <Drawer
      open={id !== null}
      onClose={onClose}
      size={Math.min(DRAWER_WIDTH, window.innerWidth)}
      title={id !== null && t("reports.number", { id })}
      destroyOnHidden
    >
      {id !== null && <HistorySteps id={id} />}
    </Drawer>
  );
}

function HistorySteps({ id }: { id: number }) {
  const { t, p } = useT();
  const levelWord = useLevelWord();
  const found = useQuery(filingQuery(id));
  return (
    <Loaded query={found}>
      {(filing) => (
        <>
          <h2>
            {p(filing.name_zh, filing.name_en)} {filing.period}
          </h2>
          <p>
            {t("reports.evidence")}: {filing.evidence || "—"}
          </p>
          <EvidenceFiles report={filing.id} files={filing.files} />
          {filing.removed_files.map((gone) => (
            <p key={gone.id} className="quiet">
              <s>{gone.name}</s> {t("reports.file-gone", { name: gone.by })} <Time at={gone.at} /> · SHA-256{" "}
              <code className="hash">{gone.sha256}</code>
            </p>
          ))}
          <Timeline
            items={filing.steps.map((step) => {
              const key = keyOf("reports.step", step.step);
              const said: ReactNode = step.note && <div className="quiet">{step.note}</div>;
              return {
                key: `${step.at} ${step.step}`,
                content: (
                  <>
                    <strong>{key ? t(key) : step.step}</strong>
                    {step.level && t("word.aside", { text: levelWord(step.level) })} {step.by} ·{" "}
                    <Figure value={step.value} unit={p(filing.unit_zh, filing.unit_en)} />
                    <div className="quiet">
                      <Time at={step.at} />
                    </div>
                    {said}
                  </>
                ),
              };
            })}
          />
        </>
      )}
    </Loaded>
  );
}
