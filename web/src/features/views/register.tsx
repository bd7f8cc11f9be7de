/** A register of a pack: its entities as a table with the declared columns, live, filtered, put in order and taken along. */
import "./views.css";
import {
  type InfiniteData,
  useInfiniteQuery,
  useQueries,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { Input } from "antd";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar, useActionKeys } from "../../lib/actions.tsx";
import { useAddress } from "../../lib/address.ts";
import { number } from "../../lib/format.ts";
import { throttle, useLive } from "../../lib/live.ts";
import { can, useUser } from "../../lib/session.ts";
import type { Entity, EntityType, Items, PackView, Quality, Severity, ViewTable } from "../../lib/types.ts";
import { Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { QualityDot } from "../../ui/tags.tsx";
import { activeAlertsQuery } from "../alerts/queries.ts";
import { nameOf } from "../entity/queries.ts";
import { typesQuery } from "../map/queries.ts";
import { SEVERITY_BY_NUMBER } from "../map/style.ts";
import { type RegisterContext, registerActions } from "./actions.tsx";
import {
  NAMED_ENTITIES_MAX,
  namesQuery,
  REGISTER_ENTITIES_MAX,
  REGISTER_REFRESH_MS,
  readEntity,
  registerKey,
  registerQuery,
  severitiesQuery,
} from "./queries.ts";
import { entityPath, RegisterTable } from "./register-table.tsx";
import {
  type Column,
  inOrder,
  marksOf,
  nextSort,
  registerColumns,
  type Saying,
  sortOf,
  targetOf,
  typeOfId,
} from "./rows.ts";

/** Typing waits this long before the server is asked, milliseconds. */
const TYPING_MS = 250;
/** Least time between two looks at what changed, milliseconds. */
const LIVE_MS = 3_000;
/** Rows that are asked for one by one at such a look, where not all are asked for; the rest comes with the next reading. */
const LIVE_ROWS_MAX = 12;

export function Register({ view, table, kind }: { view: PackView; table: ViewTable; kind: EntityType }) {
  const { t, p, language } = useT();
  const navigate = useNavigate();
  const [parameters, to] = useAddress();
  const q = parameters.get("q") ?? "";
  const found = useInfiniteQuery(registerQuery(kind.name, q));
  const entities = useMemo(() => found.data?.pages.flatMap((page) => page.items) ?? [], [found.data]);
  const columns = useMemo(() => registerColumns(table, kind, { language, t }), [table, kind, language, t]);
  const nameOfOther = useNamesOfOthers(kind, entities, columns);
  const saying = useMemo<Saying>(() => ({ language, t, nameOfOther }), [language, t, nameOfOther]);
  const severityOf = useSeverities(kind.name);
  const sortText = parameters.get("sort");
  const sort = useMemo(() => sortOf(sortText, columns), [sortText, columns]);
  const rows = useMemo(() => inOrder(entities, sort, columns, saying), [entities, sort, columns, saying]);
  const { marks, others } = useMemo(() => marksOf(entities, columns), [entities, columns]);
  const inSight = useRef<string[]>([]);
  useFresh(kind.name, q, entities, found.data?.pages.length ?? 0, inSight);

  const isFull = entities.length >= REGISTER_ENTITIES_MAX;
  const loadAll = async () => {
    let last = await found.fetchNextPage({ throwOnError: true });
    const loaded = () => last.data?.pages.reduce((sum, page) => sum + page.items.length, 0) ?? 0;
    while (last.hasNextPage && !last.isError && loaded() < REGISTER_ENTITIES_MAX) {
      last = await last.fetchNextPage({ throwOnError: true });
    }
  };
  const context: RegisterContext = {
    view,
    kind,
    columns,
    rows,
    saying,
    severityOf,
    q,
    sort,
    more: found.hasNextPage && !isFull && !found.isFetchingNextPage,
    loadMore: () => found.fetchNextPage({ throwOnError: true }),
    loadAll,
    refresh: () => found.refetch({ throwOnError: true }),
    navigate,
  };
  useActionKeys(registerActions, context);

  const failure = useFailure(found);
  const body = () => {
    if (failure) return failure;
    if (!found.data) return <Loading tall />;
    if (rows.length === 0) {
      if (found.hasNextPage) return <Nothing title={t("view.rows-none-yet")} />;
      return q ? (
        <Nothing title={t("view.rows-none-match", { q })} mend={t("view.rows-none-match-mend")} />
      ) : (
        <Nothing title={t("view.rows-none")} mend={t("view.rows-none-mend")} />
      );
    }
    return (
      <>
        <RegisterTable
          label={p(view.title_zh, view.title_en)}
          rows={rows}
          columns={columns}
          saying={saying}
          severityOf={severityOf}
          unmarked={others}
          q={q}
          sort={sort}
          onSort={(key) => to({ sort: nextSort(sort, key) })}
          onOpen={(entity) => navigate(entityPath(entity.id))}
          onSight={(ids) => {
            inSight.current = ids;
          }}
          busy={found.isPlaceholderData}
        />
        <Legend marks={marks} others={others} />
      </>
    );
  };
  return (
    <>
      <div className="toolbar register-bar">
        <Filter key={kind.name} q={q} onAsk={(text) => to({ q: text })} />
        <ActionBar actions={registerActions} context={context} size="small" />
      </div>
      {found.data && rows.length > 0 && (
        <p className="quiet register-count" role="status">
          {counted()}
          {sort !== null && found.hasNextPage && ` ${t("view.sorted-loaded")}`}
          {found.hasNextPage && ` ${t("view.rows-most", { max: number(REGISTER_ENTITIES_MAX) })}`}
        </p>
      )}
      {body()}
    </>
  );

  function counted(): string {
    const count = number(rows.length);
    if (!found.hasNextPage) return t(q ? "view.rows-match" : "view.rows-all", { count });
    if (q) return t("view.rows-match-first", { count });
    return t("view.rows-first", { count, total: number(Math.max(kind.count, rows.length)) });
  }
}

/** Asks the server for what is typed, a moment after the last key. */
function Filter({ q, onAsk }: { q: string; onAsk: (text: string) => void }) {
  const { t } = useT();
  const [text, setText] = useState(q);
  const latest = useRef({ q, onAsk });
  latest.current = { q, onAsk };
  useEffect(() => {
    const wanted = text.trim();
    const timer = setTimeout(() => {
      if (wanted !== latest.current.q) latest.current.onAsk(wanted);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <Input.Search
      allowClear
      className="register-filter"
      value={text}
      placeholder={t("view.filter")}
      aria-label={t("view.filter")}
      onChange={(event) => setText(event.target.value)}
      onSearch={(wanted) => onAsk(wanted.trim())}
    />
  );
}

/** What the coloured dots before values say, and what those without one are. */
function Legend({ marks, others }: { marks: Quality[]; others: Quality | null }) {
  const { t } = useT();
  return (
    <p className="quiet register-legend" data-testid="register-legend">
      {(marks.length > 0 || others) && <span>{t("quality.title")}</span>}
      {marks.map((quality) => (
        <span key={quality}>
          <QualityDot quality={quality} silent /> {t(`quality.${quality}`)}
        </span>
      ))}
      {others && (
        <span>
          {t(marks.length > 0 ? "view.quality-others" : "view.quality-all", {
            quality: t(`quality.${others}`),
          })}
        </span>
      )}
      <span>{t("view.row-source")}</span>
    </p>
  );
}

const itemsOf = (results: { data: Items<Entity> | undefined }[]): Entity[] =>
  results.flatMap(({ data }) => data?.items ?? []);

/** What the entities are called that others point at: those of small types, which are asked for at once, and those loaded here. */
function useNamesOfOthers(kind: EntityType, entities: Entity[], columns: Column[]) {
  const { language } = useT();
  const related = useMemo(
    () => columns.filter(({ declared }) => declared?.value === "relationship"),
    [columns],
  );
  const types = useQuery({ ...typesQuery, enabled: related.length > 0 }).data;
  const wanted = useMemo(() => {
    const met = new Set<string>();
    for (const entity of entities) {
      for (const column of related) {
        const type = typeOfId(targetOf(column, entity.attributes[column.key]) ?? "");
        if (type !== null) met.add(type);
      }
    }
    const isSmall = (type: string) =>
      (types?.get(type)?.count ?? Number.POSITIVE_INFINITY) <= NAMED_ENTITIES_MAX;
    return [...met].filter((type) => type !== kind.name && isSmall(type)).sort();
  }, [entities, related, types, kind.name]);
  const others = useQueries({ queries: wanted.map(namesQuery), combine: itemsOf });
  const names = useMemo(() => {
    if (related.length === 0) return new Map<string, string>();
    return new Map([...others, ...entities].map((entity) => [entity.id, nameOf(entity, language)]));
  }, [related, others, entities, language]);
  return useCallback((id: string) => names.get(id), [names]);
}

/** The worst active alert of each entity, for who may see alerts. The list of them has the newest; of more the map counts all. */
function useSeverities(type: string): (id: string) => Severity | undefined {
  const user = useUser();
  const may = can(user, "alert.read");
  const active = useQuery({ ...activeAlertsQuery, enabled: may }).data;
  const isCut = may && (active?.next ?? null) !== null;
  const counted = useQuery({ ...severitiesQuery(type), enabled: isCut }).data;
  const worst = useMemo(() => {
    const levels = new Map(isCut ? counted : []);
    for (const alert of (may && active?.items) || []) {
      if (alert.entity_type !== type) continue;
      const level = SEVERITY_BY_NUMBER.indexOf(alert.severity) + 1;
      levels.set(alert.entity_id, Math.max(level, levels.get(alert.entity_id) ?? 0));
    }
    return levels;
  }, [may, active, isCut, counted, type]);
  return useCallback((id: string) => SEVERITY_BY_NUMBER[(worst.get(id) ?? 0) - 1], [worst]);
}

/**
 * Shows what was heard of loaded entities within seconds: a register of one answer is read anew; of a longer one, the rows in
 * sight that changed are read one by one, some at a time. The rest comes when the whole is read again.
 */
function useFresh(
  type: string,
  q: string,
  entities: Entity[],
  pages: number,
  inSight: { current: string[] },
) {
  const queryClient = useQueryClient();
  const loaded = useMemo(() => new Set(entities.map(({ id }) => id)), [entities]);
  const latest = useRef({ type, q, pages });
  latest.current = { type, q, pages };
  const heard = useRef(new Set<string>());
  const flush = useMemo(
    () =>
      throttle(LIVE_MS, () => {
        const now = latest.current;
        const queryKey = registerKey(now.type, now.q);
        // What is being read now is new enough, and must not be read from the beginning again.
        if (queryClient.isFetching({ queryKey, exact: true }) > 0) return;
        const changed = inSight.current.filter((id) => heard.current.has(id)).slice(0, LIVE_ROWS_MAX);
        heard.current.clear();
        if (now.pages <= 1) {
          void queryClient.invalidateQueries({ queryKey, exact: true });
          return;
        }
        void Promise.allSettled(changed.map(readEntity)).then((answers) => {
          const byId = new Map<string, Entity>();
          for (const one of answers) {
            if (one.status !== "fulfilled") continue;
            const { kind: _, ...entity } = one.value;
            byId.set(entity.id, entity);
          }
          queryClient.setQueryData<InfiniteData<Items<Entity>>>(queryKey, (before) => withRows(before, byId));
        });
      }),
    [queryClient, inSight],
  );
  useEffect(() => () => flush.cancel(), [flush]);
  useEffect(() => {
    // Not the query's own interval: that begins again with each row that is put in.
    const timer = setInterval(() => {
      const queryKey = registerKey(type, q);
      if (document.hidden || queryClient.isFetching({ queryKey, exact: true }) > 0) return;
      void queryClient.invalidateQueries({ queryKey, exact: true });
    }, REGISTER_REFRESH_MS * Math.max(1, pages));
    return () => clearInterval(timer);
  }, [queryClient, type, q, pages]);
  useLive("entity", ({ ids }) => {
    for (const id of ids) if (loaded.has(id)) heard.current.add(id);
    if (heard.current.size > 0) flush();
  });
}

/** The pages with these entities in the place of what was read of them before. */
export function withRows(
  before: InfiniteData<Items<Entity>> | undefined,
  read: ReadonlyMap<string, Entity>,
): InfiniteData<Items<Entity>> | undefined {
  if (!before || read.size === 0) return before;
  const pages = before.pages.map((page) =>
    page.items.some(({ id }) => read.has(id))
      ? { ...page, items: page.items.map((entity) => read.get(entity.id) ?? entity) }
      : page,
  );
  return { ...before, pages };
}
