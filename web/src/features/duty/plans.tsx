/** Response plans that were started, in earnest or as drills: their steps, ticked off with time and person. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Card, Drawer, Progress, Table, Tag } from "antd";
import { Link } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { quantity } from "../../lib/format.ts";
import type { Activation } from "../../lib/types.ts";
import { openableRow } from "../../ui/keyboard.ts";
import { Loading, useFailure } from "../../ui/states.tsx";
import { SeverityTag, Time } from "../../ui/tags.tsx";
import {
  activationActions,
  type Dialog,
  laterStepActions,
  type PageContext,
  pageActions,
  stepActions,
} from "./actions.tsx";
import { PlanLibrary } from "./plan-library.tsx";
import { activationQuery, nearestQuery, overQuery, ROOM, runningQuery } from "./queries.ts";
import { Suggestions } from "./suggestions.tsx";

/** Widest drawer, pixels. */
const DRAWER_WIDTH = 680;

function Drill({ is }: { is: boolean }) {
  const { t } = useT();
  return is ? (
    <Tag color="purple" data-testid="drill">
      {t("duty.drill")}
    </Tag>
  ) : null;
}

/** The nearest resources that are free, of the categories that the plan asks for. */
export function Nearest({
  near,
  category,
}: {
  near: { alert_id?: number; case_id?: number };
  category: string;
}) {
  const { t } = useT();
  const nearest = useQuery(nearestQuery(near, category));
  const failure = useFailure(nearest);
  if (failure) return failure;
  if (!nearest.data) return <Loading />;
  if (nearest.data.items.length === 0) return <p className="quiet">{t("duty.nearest-none")}</p>;
  return (
    <ul className="duty-turns">
      {nearest.data.items.map(({ entity, distance_m }) => (
        <li key={entity.id}>
          <Link to={`/entities/${encodeURIComponent(entity.id)}`}>{entity.name ?? entity.id}</Link>{" "}
          {quantity(Math.round(distance_m / 100) / 10, "KMT")}
        </li>
      ))}
    </ul>
  );
}

function Steps({ activation, open }: { activation: Activation; open: (dialog: Dialog) => void }) {
  const { t, p } = useT();
  const client = useQueryClient();
  const changed = () => client.invalidateQueries({ queryKey: ROOM });
  const next = activation.steps.find((step) => step.done_at === null)?.id;
  return (
    <ol className="duty-steps">
      {activation.steps.map((step) => (
        <li key={step.id} data-testid="duty-step">
          <div>
            <strong>{p(step.title_zh, step.title_en)}</strong>{" "}
            {step.late && <Tag color="error">{t("duty.late")}</Tag>}
            {step.skipped && <Tag>{t("duty.skipped")}</Tag>}
          </div>
          <div className="quiet">
            {p(step.who_zh, step.who_en)} · {t("duty.due")} <Time at={step.due_at} />
          </div>
          {step.done_at && (
            <div>
              {t("duty.step-done")} {step.done_by} <Time at={step.done_at} /> {step.note}
            </div>
          )}
          <div className="duty-acts">
            <ActionBar
              actions={step.id === next ? stepActions : laterStepActions}
              context={{ activation, step: step.id, open, changed }}
              size="small"
            />
          </div>
        </li>
      ))}
    </ol>
  );
}

function One({ id, open, onClose }: { id: number; open: (dialog: Dialog) => void; onClose: () => void }) {
  const { t, p } = useT();
  const asked = useQuery(activationQuery(id));
  const failure = useFailure(asked);
  const one = asked.data;
  const near =
    one?.alert_id != null
      ? { alert_id: one.alert_id }
      : one?.case_id != null
        ? { case_id: one.case_id }
        : null;
  return (
    <Drawer open size={DRAWER_WIDTH} title={one && p(one.title_zh, one.title_en)} onClose={onClose}>
      {failure ??
        (!one ? (
          <Loading tall />
        ) : (
          <div className="stack">
            <p>
              <Drill is={one.drill} /> <SeverityTag severity={one.severity} /> {t("duty.started")}{" "}
              {one.started_by} <Time at={one.started_at} />
            </p>
            {one.drill && <p className="quiet">{t("duty.drill-about")}</p>}
            <p>
              {one.alert_id != null && (
                <Link to={`/alerts?alert=${one.alert_id}`}>{t("duty.for-alert", { id: one.alert_id })}</Link>
              )}{" "}
              {one.case_id != null && (
                <Link to={`/cases/${one.case_id}`}>{t("duty.for-case", { id: one.case_id })}</Link>
              )}
            </p>
            {one.ended_at && (
              <p>
                {t("duty.ended")} {one.ended_by} <Time at={one.ended_at} /> {one.summary}
              </p>
            )}
            <Steps activation={one} open={open} />
            {near && (
              <section>
                <h3>{t("duty.nearest")}</h3>
                <Nearest near={near} category={one.resources.join(",")} />
              </section>
            )}
            <ActionBar actions={activationActions} context={{ activation: one, open }} />
          </div>
        ))}
    </Drawer>
  );
}

/** A plan under way: how far it is, what is next, and its steps. */
function Running({
  activation,
  open,
  openOne,
}: {
  activation: Activation;
  open: (dialog: Dialog) => void;
  openOne: (id: number) => void;
}) {
  const { t, p } = useT();
  const { steps } = activation;
  const done = steps.filter((step) => step.done_at !== null).length;
  const late = steps.some((step) => step.late && step.done_at === null);
  return (
    <Card
      size="small"
      data-testid="running"
      title={
        <span className="duty-running">
          <Drill is={activation.drill} /> {p(activation.title_zh, activation.title_en)}
        </span>
      }
      extra={
        <Button type="link" size="small" onClick={() => openOne(activation.id)}>
          {t("duty.details")}
        </Button>
      }
    >
      <p>
        <SeverityTag severity={activation.severity} /> {t("duty.started")} {activation.started_by}{" "}
        <Time at={activation.started_at} />
      </p>
      <Progress
        percent={steps.length === 0 ? 0 : Math.round((100 * done) / steps.length)}
        status={late ? "exception" : "active"}
        format={() => t("duty.steps", { done, all: steps.length })}
        aria-label={t("duty.steps", { done, all: steps.length })}
      />
      <Steps activation={activation} open={open} />
    </Card>
  );
}

/** Plans that are over. */
function Over({ openOne }: { openOne: (id: number) => void }) {
  const { t, p } = useT();
  const over = useInfiniteQuery(overQuery());
  const failure = useFailure(over);
  if (failure) return failure;
  if (!over.data) return <Loading />;
  const items = over.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <p className="quiet">{t("duty.over-none")}</p>;
  const steps = (one: Activation) => {
    const done = one.steps.filter((step) => step.done_at !== null).length;
    return t("duty.steps", { done, all: one.steps.length });
  };
  return (
    <>
      <Table<Activation>
        size="small"
        rowKey="id"
        className="tabular"
        dataSource={items}
        pagination={false}
        scroll={{ x: 760 }}
        rowClassName="row-link"
        onRow={(one) =>
          ({
            ...openableRow(() => openOne(one.id)),
            "data-testid": "activation",
          }) as React.HTMLAttributes<HTMLElement>
        }
        columns={[
          {
            title: t("duty.plan"),
            render: (_, one) => (
              <>
                <Drill is={one.drill} /> {p(one.title_zh, one.title_en)}
              </>
            ),
          },
          {
            title: t("severity.title"),
            width: 110,
            render: (_, one) => <SeverityTag severity={one.severity} />,
          },
          { title: t("duty.started"), width: 170, render: (_, one) => <Time at={one.started_at} bare /> },
          { title: t("duty.person"), width: 120, dataIndex: "started_by" },
          { title: t("duty.step-done"), width: 120, render: (_, one) => steps(one) },
          { title: t("duty.ended"), width: 170, render: (_, one) => <Time at={one.ended_at} bare /> },
        ]}
      />
      {over.hasNextPage && <Button onClick={() => over.fetchNextPage()}>{t("list.more")}</Button>}
    </>
  );
}

export function Plans({
  opened,
  openOne,
  open,
  context,
  alert,
}: {
  opened: number | null;
  openOne: (id: number | null) => void;
  open: (dialog: Dialog) => void;
  context: PageContext;
  alert: number | null;
}) {
  const { t } = useT();
  const running = useQuery(runningQuery);
  const failure = useFailure(running);
  const start = pageActions.filter((action) => action.name === "duty.plan-start");
  return (
    <div className="stack">
      {alert !== null && (
        <p className="duty-bar">
          {t("duty.for-alert", { id: alert })} <ActionBar actions={start} context={context} />
        </p>
      )}
      <Suggestions open={open} openOne={openOne} />
      <section>
        <h2 className="duty-head">{t("duty.under-way")}</h2>
        {failure ??
          (!running.data ? (
            <Loading />
          ) : running.data.items.length === 0 ? (
            <p className="quiet">{t("duty.running-none")}</p>
          ) : (
            <div className="duty-running-cards">
              {running.data.items.map((one) => (
                <Running key={one.id} activation={one} open={open} openOne={openOne} />
              ))}
            </div>
          ))}
      </section>
      <section>
        <h2 className="duty-head">{t("duty.library")}</h2>
        <PlanLibrary open={open} />
      </section>
      <section>
        <h2 className="duty-head">{t("duty.over")}</h2>
        <Over openOne={openOne} />
      </section>
      {opened !== null && <One id={opened} open={open} onClose={() => openOne(null)} />}
    </div>
  );
}
