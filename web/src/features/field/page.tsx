/** The field worker's page, made for a phone and a poor network: take a task, go there, photograph, speak, finish. */
import "./field.css";
import { WifiOutlined } from "@ant-design/icons";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Alert, Button } from "antd";
import { useEffect, useMemo, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import { time } from "../../lib/format.ts";
import { keepPages } from "../../lib/pages-worker.ts";
import { useUser } from "../../lib/session.ts";
import type { CaseSummary } from "../../lib/types.ts";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { CaseStateTag } from "../../ui/tags.tsx";
import { duration } from "../cases/due.tsx";
import { caseLimitsQuery, caseQuery } from "../cases/queries.ts";
import type { Outbox } from "./outbox.ts";
import { Report } from "./report.tsx";
import { type Leg, routeFrom } from "./route.ts";
import { RoutePanel, type Start } from "./route-panel.tsx";
import { Steps } from "./steps.tsx";
import { Task } from "./task.tsx";
import { tasksQuery, useKeeping } from "./use-keeping.ts";
import { useOnline, useOutbox } from "./use-outbox.ts";

/** States in which the task is the worker's to do. */
const TO_DO: ReadonlySet<string> = new Set(["dispatched", "handling"]);
/** Tasks whose details are fetched beforehand, so that they open without a network. */
const FETCHED_COUNT_MAX = 50;

export function Page() {
  const user = useUser();
  useKeeping(user);
  useEffect(() => void keepPages(), []);
  const outbox = useOutbox(user?.id ?? null);
  return outbox ? <Tasks outbox={outbox} /> : <Loading tall />;
}

function Tasks({ outbox }: { outbox: Outbox }) {
  const { t } = useT();
  const online = useOnline();
  const cases = useInfiniteQuery(tasksQuery);
  const items = useMemo(() => cases.data?.pages.flatMap((page) => page.items) ?? [], [cases.data]);
  const todo = useMemo(() => items.filter((item) => TO_DO.has(item.state)), [items]);
  const done = items.filter((item) => !TO_DO.has(item.state) && item.state !== "cancelled");
  const [start, setStart] = useState<Start | null>(null);
  const legs = useMemo(() => (start ? routeOf(todo, start) : null), [todo, start]);
  const ordered = useMemo(() => (legs ? byRoute(todo, legs) : todo), [todo, legs]);
  const [openId, setOpenId] = useState<number | null>(null);
  const shown = openId ?? ordered[0]?.id ?? null;
  // The first task is open at first, and stays so when a newer one comes.
  useEffect(() => {
    if (openId === null && shown !== null) setOpenId(shown);
  }, [openId, shown]);
  useFetchedBeforehand(todo, online);
  const failure = useFailure(cases);
  const listed = new Set(todo.map((item) => item.id));
  return (
    <div className="page field">
      <header className="page-head">
        <h1>{t("field.title")}</h1>
      </header>
      <AsOf online={online} failed={cases.isError} readAt={cases.dataUpdatedAt} />
      <WrongClock />
      <Report outbox={outbox} />
      <Steps steps={outbox.steps().filter((step) => !listed.has(step.caseId))} outbox={outbox} named />
      {failure ? (
        failure
      ) : !cases.data ? (
        <Loading tall />
      ) : (
        <>
          {todo.length === 0 && <Nothing title={t("field.none")} mend={t("field.none-mend")} />}
          {todo.length > 1 && <RoutePanel legs={legs} start={start} onStart={setStart} />}
          <ul className="card-list">
            {ordered.map((item) => {
              const nth = legs?.findIndex((leg) => leg.id === item.id) ?? -1;
              return (
                <li key={item.id}>
                  <Task
                    item={item}
                    outbox={outbox}
                    open={item.id === shown}
                    nth={nth >= 0 ? nth + 1 : undefined}
                    metres={legs?.[nth]?.metres}
                    onOpen={() => setOpenId(item.id === shown ? 0 : item.id)}
                  />
                </li>
              );
            })}
          </ul>
          {done.length > 0 && (
            <details className="field-done">
              <summary>
                {t("field.done-section")} ({done.length})
              </summary>
              <ul className="plain-list">
                {done.map((item) => (
                  <li key={item.id}>
                    <CaseStateTag state={item.state} /> {item.title}{" "}
                    <span className="quiet">{item.number}</span>
                  </li>
                ))}
              </ul>
            </details>
          )}
          {cases.hasNextPage && (
            <Button block loading={cases.isFetchingNextPage} onClick={() => void cases.fetchNextPage()}>
              {t("list.more")}
            </Button>
          )}
        </>
      )}
    </div>
  );
}

/** When this page was opened: what was read before comes from an earlier visit. */
const OPENED_MS = performance.timeOrigin;

/** That there is no network, and of when the tasks are that are shown. */
function AsOf({ online, failed, readAt }: { online: boolean; failed: boolean; readAt: number }) {
  const { t } = useT();
  const of = readAt > 0 && (failed || !online || readAt < OPENED_MS);
  const said = of && (
    <span data-testid="field-as-of" data-at={new Date(readAt).toISOString()}>
      {t("field.as-of", { time: time(readAt) })}
    </span>
  );
  if (online && !failed) return said ? <p className="quiet">{said}</p> : null;
  return (
    <Alert
      type="warning"
      showIcon
      icon={<WifiOutlined />}
      title={t(online ? "field.unreached" : "field.offline")}
      description={said}
    />
  );
}

function routeOf(todo: CaseSummary[], start: Start): Leg[] {
  const stops = todo.flatMap(({ id, location }) => (location ? [{ id, place: location }] : []));
  return routeFrom(start.place, stops);
}

/** Those of the route in its order, then those without a place. */
function byRoute(todo: CaseSummary[], legs: Leg[]): CaseSummary[] {
  const at = new Map(legs.map((leg, i) => [leg.id, i]));
  const place = (item: CaseSummary) => at.get(item.id) ?? legs.length;
  return [...todo].sort((a, b) => place(a) - place(b));
}

function useFetchedBeforehand(todo: CaseSummary[], online: boolean) {
  const queryClient = useQueryClient();
  useEffect(() => {
    if (!online) return;
    let isOver = false;
    void (async () => {
      // One after the other, and only what changed: on a slow network the list itself must not wait behind fifty of them.
      for (const { id, updated_at } of todo.slice(0, FETCHED_COUNT_MAX)) {
        if (isOver) return;
        const one = caseQuery(id);
        if (queryClient.getQueryData(one.queryKey)?.updated_at !== updated_at)
          await queryClient.prefetchQuery({ ...one, staleTime: 0 });
      }
    })();
    return () => {
      isOver = true;
    };
  }, [queryClient, todo, online]);
}

/** A phone whose clock is wrong is told so: what it writes down has that clock's times. */
function WrongClock() {
  const { t } = useT();
  const limits = useQuery(caseLimitsQuery).data;
  const off = limits ? Math.round(limits.clockOffMs / 1_000) : 0;
  if (!limits || Math.abs(off) <= limits.clock_off_seconds_max) return null;
  return (
    <Alert
      type="warning"
      showIcon
      title={t(off > 0 ? "field.clock-ahead" : "field.clock-behind", { time: duration(off, true, t) })}
      description={t("field.clock-mend")}
    />
  );
}
