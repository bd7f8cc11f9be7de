/** The dispatch board (调度): commands that wait for a second person, what is suggested, things that can be told something, and what became of each command. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Drawer, Select } from "antd";
import { useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionBar } from "../../lib/actions.tsx";
import { attributeText } from "../../lib/format.ts";
import type { Command, Entity, EntityKind } from "../../lib/types.ts";
import { More } from "../../ui/more.tsx";
import { Loaded, Loading, Nothing, useFailure } from "../../ui/states.tsx";
import { Age, QualityDot, Time } from "../../ui/tags.tsx";
import { typesQuery } from "../map/queries.ts";
import { thingActions } from "./actions.tsx";
import { One } from "./detail.tsx";
import { AskDialog, type Filled } from "./dialogs.tsx";
import { nameOf, Order, StateTag } from "./marks.tsx";
import { commandsQuery, STATES, THINGS_MAX, thingsQuery, waitingQuery } from "./queries.ts";
import { Suggestions } from "./suggestions.tsx";
import "./dispatch.css";

/** Widest drawer, pixels. */
const DRAWER_WIDTH = 620;

export function Page() {
  const { t } = useT();
  const [parameters, setParameters] = useSearchParams();
  const [asking, setAsking] = useState<Filled | null>(null);
  const opened = Number(parameters.get("id")) || null;
  const state = STATES.find((one) => one === parameters.get("state")) ?? "";
  const go = (next: { state?: string; id?: number | null }) => {
    const search: Record<string, string> = {};
    const kept = next.state ?? state;
    const id = next.id === undefined ? opened : next.id;
    if (kept) search.state = kept;
    if (id) search.id = String(id);
    setParameters(search, { replace: true });
  };
  const open = (id: number) => go({ id });
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t("dispatch.title")}</h1>
        <span className="quiet">{t("dispatch.about")}</span>
      </header>
      <Waiting open={open} />
      <Suggestions ask={setAsking} />
      <Things ask={(thing) => setAsking({ thing })} />
      <History state={state} choose={(next) => go({ state: next })} open={open} />
      <Drawer
        open={opened !== null}
        onClose={() => go({ id: null })}
        size={Math.min(DRAWER_WIDTH, window.innerWidth)}
        title={opened !== null && t("dispatch.number", { id: opened })}
        destroyOnHidden
      >
        {opened !== null && <One key={opened} id={opened} />}
      </Drawer>
      {asking && (
        <AskDialog
          key={asking.thing.id}
          {...asking}
          onClose={() => setAsking(null)}
          onAsked={({ id }) => {
            setAsking(null);
            open(id);
          }}
        />
      )}
    </div>
  );
}

/** What waits for a second person comes first: it expires. */
function Waiting({ open }: { open: (id: number) => void }) {
  const { t } = useT();
  const waiting = useQuery(waitingQuery);
  return (
    <section aria-label={t("dispatch.waiting")}>
      <h2 className="dispatch-heading">{t("dispatch.waiting")}</h2>
      <Loaded query={waiting}>
        {(items) =>
          items.length === 0 ? (
            <p className="quiet">{t("dispatch.waiting-none")}</p>
          ) : (
            <Rows items={items} open={open} waiting />
          )
        }
      </Loaded>
    </section>
  );
}

function Rows({ items, open, waiting }: { items: Command[]; open: (id: number) => void; waiting?: boolean }) {
  const { t } = useT();
  return (
    <ul className="card-list">
      {items.map((command) => (
        <li key={command.id}>
          <button
            type="button"
            className="item-card"
            data-testid={waiting ? "dispatch-waiting" : "dispatch-row"}
            onClick={() => open(command.id)}
          >
            <span className="item-card-head">
              <strong className="ellipsis">{nameOf(command)}</strong>
              <StateTag state={command.state} />
            </span>
            <span>
              <Order command={command} />
            </span>
            <span className="ellipsis">{command.reason}</span>
            <span className="quiet">
              {t("dispatch.by", { name: command.asked_by })} · <Age at={command.asked_at} />
              {waiting && (
                <>
                  {" · "}
                  {t("dispatch.until")} <Time at={command.expires_at} />
                </>
              )}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Things({ ask }: { ask: (thing: Entity) => void }) {
  const { t } = useT();
  const types = useQuery(typesQuery);
  return (
    <section aria-label={t("dispatch.things")}>
      <h2 className="dispatch-heading">{t("dispatch.things")}</h2>
      <Loaded query={types}>
        {(all) => {
          const told = [...all.values()].filter((kind) => kind.commands.length > 0);
          if (told.length === 0)
            return <Nothing title={t("dispatch.things-none")} mend={t("dispatch.things-mend")} />;
          return told.map((kind) => <ThingsOf key={kind.name} kind={kind} ask={ask} />);
        }}
      </Loaded>
    </section>
  );
}

/** How each gate, pump or valve stands, as a station answers it. */
const CHANNELS = ["gateStates", "pumpStates", "valveStates"];

/** What its views write on the map and draw over time, and how its channels stand: the states and stages that somebody decides by. */
export function shownOf(kind: EntityKind): string[] {
  const views = kind.views ?? [];
  const named = views.flatMap(({ layer, chart }) => [layer?.attribute ?? "", ...(chart?.attributes ?? [])]);
  return [...new Set([...named, ...CHANNELS])].filter((name) => kind.attributes[name]);
}

function ThingsOf({ kind, ask }: { kind: EntityKind; ask: (thing: Entity) => void }) {
  const { t, p } = useT();
  const shown = useMemo(() => shownOf(kind), [kind]);
  const things = useQuery(thingsQuery(kind.name, shown));
  return (
    <>
      <h3>{p(kind.title_zh, kind.title_en)}</h3>
      <Loaded query={things}>
        {({ items, next }) => (
          <>
            {items.length === 0 && <p className="quiet">{t("dispatch.type-empty")}</p>}
            <ul className="card-list">
              {items.map((thing) => (
                <li key={thing.id} className="item-card dispatch-thing" data-testid="dispatch-thing">
                  <strong>{thing.name ?? thing.id}</strong>
                  <span className="dispatch-values">
                    {shown.map((name) => (
                      <Value key={name} kind={kind} name={name} thing={thing} />
                    ))}
                  </span>
                  <ActionBar actions={thingActions} context={{ thing, ask }} size="small" />
                </li>
              ))}
            </ul>
            {next && <p className="quiet">{t("dispatch.things-more", { n: THINGS_MAX })}</p>}
          </>
        )}
      </Loaded>
    </>
  );
}

function Value({ kind, name, thing }: { kind: EntityKind; name: string; thing: Entity }) {
  const { p, language } = useT();
  const declared = kind.attributes[name];
  const state = thing.attributes[name];
  return (
    <span>
      <span className="quiet">{declared && p(declared.title_zh, declared.title_en)}</span>{" "}
      {state ? (
        <>
          {attributeText(language, state.value, state.unit ?? declared?.unit, declared?.words)}{" "}
          <QualityDot quality={state.quality} />
          <span className="quiet">
            <Age at={state.observed_at} />
          </span>
        </>
      ) : (
        "—"
      )}
    </span>
  );
}

function History({
  state,
  choose,
  open,
}: {
  state: string;
  choose: (state: string) => void;
  open: (id: number) => void;
}) {
  const { t } = useT();
  const list = useInfiniteQuery(commandsQuery(state));
  const items = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const failure = useFailure(list);
  return (
    <section aria-label={t("dispatch.history")}>
      <h2 className="dispatch-heading">{t("dispatch.history")}</h2>
      <Select
        value={state}
        onChange={choose}
        aria-label={t("dispatch.filter")}
        style={{ width: 160, marginBottom: 8 }}
        options={[
          { value: "", label: t("dispatch.all") },
          ...STATES.map((value) => ({ value, label: t(`dispatch-state.${value}`) })),
        ]}
      />
      {failure ??
        (!list.data ? (
          <Loading />
        ) : items.length === 0 && !list.hasNextPage ? (
          <p className="quiet">{t("dispatch.history-none")}</p>
        ) : (
          <Rows items={items} open={open} />
        ))}
      <More list={list} />
    </section>
  );
}
