/** The live map: every entity with a place, what is wrong now, and a card for what is clicked. */
import "./map.css";
import { UnorderedListOutlined } from "@ant-design/icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { AutoComplete, Button, Drawer, Input } from "antd";
import { useEffect, useMemo, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { ActionButton, available, useActionKeys } from "../../lib/actions.tsx";
import { throttle, useLive } from "../../lib/live.ts";
import { can, cityQuery, useUser } from "../../lib/session.ts";
import type { City, Entity, EntityKind } from "../../lib/types.ts";
import { Loaded, useFailure } from "../../ui/states.tsx";
import { usePhone } from "../../ui/use-phone.ts";
import { mapActions } from "./actions.tsx";
import { EntityCard } from "./card.tsx";
import { IsolinesBar, IsolinesSection } from "./isolines-panel.tsx";
import { ActiveAlerts, LayerList } from "./panel.tsx";
import { mapEntitiesQuery, searchQuery, typesQuery } from "./queries.ts";
import { SEVERITY_BY_NUMBER } from "./style.ts";
import { useIsolineSwitch, useIsolines } from "./use-isolines.ts";
import { useBaseLayers, useEntities, useMapView } from "./use-map-view.ts";

/** Least time between two readings of all points, milliseconds, at rest and while a hand moves the map. */
const REREAD_MS = 2_000;
const REREAD_MOVING_MS = 10_000;

export function Page() {
  const city = useQuery(cityQuery);
  return (
    <Loaded query={city} tall>
      {(found) => <CityMap city={found} />}
    </Loaded>
  );
}

function CityMap({ city }: { city: City }) {
  const { t, language } = useT();
  const phone = usePhone();
  const user = useUser();
  const queryClient = useQueryClient();
  const [parameters, setParameters] = useSearchParams();
  const selected = parameters.get("entity");
  const [sheet, setSheet] = useState(false);
  const entities = useQuery(mapEntitiesQuery);
  const failure = useFailure(entities);
  const types = useQuery(typesQuery).data;
  const [hidden, setHidden] = useHiddenTypes(types);

  const select = (id: string | null) =>
    setParameters(id ? { entity: id } : {}, { replace: true, preventScrollReset: true });
  const [followCard, setFollowCard] = useState(false);
  const { container, view, broken } = useMapView(
    city,
    language,
    `${t("map.label")}: ${t("map.keys")}`,
    (id, byKey) => {
      setFollowCard(byKey);
      select(id);
    },
  );
  useBaseLayers(view);

  useEntities(view, entities.data, types);
  useEffect(() => view?.setHiddenTypes(hidden), [view, hidden]);
  useEffect(() => view?.select(selected), [view, selected]);
  const isolines = useIsolineSwitch(types);
  const isolineState = useIsolines(view, city, isolines.chosen);

  const reread = useMemo(() => {
    let last = performance.now();
    const read = throttle(REREAD_MS, () => {
      // All points are a large answer: while the map is dragged its frames come first.
      if (view?.moving && performance.now() - last < REREAD_MOVING_MS) return read();
      last = performance.now();
      void queryClient.invalidateQueries({ queryKey: mapEntitiesQuery.queryKey });
    });
    return read;
  }, [queryClient, view]);
  useEffect(() => () => reread.cancel(), [reread]);
  useLive("alert", (alert) => {
    if (!alert.cleared_at) view?.raise(alert.entity_id, SEVERITY_BY_NUMBER.indexOf(alert.severity) + 1);
    reread();
  });
  useLive("entity", ({ ids }) => {
    if (view?.markFresh(ids)) reread();
  });

  // A link to an entity brings the map there, once its place is known.
  const target = useRef(selected);
  useEffect(() => {
    if (!view || !target.current || !entities.data) return;
    const row = entities.data.ids.indexOf(target.current);
    target.current = null;
    const lon = entities.data.lon[row];
    const lat = entities.data.lat[row];
    if (lon !== undefined && lat !== undefined) view.flyTo([lon, lat], phone);
  }, [view, entities.data, phone]);

  const closeCard = () => {
    // The keyboard stays where it is unless it was in what is closed.
    const inside = document.activeElement?.closest(".map-card");
    select(null);
    if (inside) view?.focus();
  };
  const goTo = (id: string) => {
    setSheet(false);
    setFollowCard(false);
    select(id);
    const row = entities.data?.ids.indexOf(id) ?? -1;
    const lon = entities.data?.lon[row];
    const lat = entities.data?.lat[row];
    if (lon !== undefined && lat !== undefined) view?.flyTo([lon, lat], phone);
  };

  const context = { view, city, isolines };
  useActionKeys(mapActions, context);
  const counts = useMemo(() => countTypes(entities.data, types), [entities.data, types]);
  const panel = (
    <>
      {can(user, "alert.read") && <ActiveAlerts onPick={goTo} />}
      <IsolinesSection isolines={isolines} state={isolineState} />
      {failure ?? (
        <LayerList
          loading={!entities.data}
          counts={counts}
          types={types}
          hidden={hidden}
          onHidden={setHidden}
        />
      )}
    </>
  );

  return (
    <div className="map-page">
      <h1 className="only-heard">{t("map.label")}</h1>
      <div className="map-field">
        <div
          ref={container}
          className="map-canvas"
          data-testid="map"
          data-points={entities.data?.ids.length ?? 0}
        />
        {broken && <div className="map-broken">{t("map.no-webgl")}</div>}
        <div className="map-top">
          <EntitySearch onPick={goTo} />
          {phone && (
            <Button
              icon={<UnorderedListOutlined />}
              onClick={() => setSheet(true)}
              aria-label={t("map.panel")}
            />
          )}
        </div>
        <div className="map-tools">
          {available(mapActions, context, user).map((action) => (
            <ActionButton key={action.name} action={action} context={context} iconOnly />
          ))}
        </div>
        <MapState data={entities.data} failed={failure !== null} retry={() => void entities.refetch()} />
        <div className="map-notes">
          {phone && isolines.chosen && !selected && (
            <IsolinesBar chosen={isolines.chosen} state={isolineState} />
          )}
          <span>{t("map.schematic")}</span>
          {city.demo && <span>{t("map.foreign")}</span>}
        </div>
        {selected && <EntityCard key={selected} id={selected} follow={followCard} onClose={closeCard} />}
      </div>
      {phone ? (
        <Drawer
          placement="bottom"
          size="72%"
          open={sheet}
          onClose={() => setSheet(false)}
          title={t("map.panel")}
          styles={{ body: { padding: 0 } }}
        >
          {panel}
        </Drawer>
      ) : (
        <aside className="map-panel">{panel}</aside>
      )}
    </div>
  );
}

/** Over the map: why there is nothing on it. */
function MapState({
  data,
  failed,
  retry,
}: {
  data: { ids: string[] } | undefined;
  failed: boolean;
  retry: () => void;
}) {
  const { t } = useT();
  if (data && data.ids.length > 0) return null;
  return (
    <div className="map-state" role="status" data-state={data ? "empty" : failed ? "failed" : "loading"}>
      {t(data ? "map.empty" : failed ? "map.entities-failed" : "map.entities-loading")}
      {failed && (
        <Button size="small" onClick={retry}>
          {t("state.retry")}
        </Button>
      )}
    </div>
  );
}

/** Counts in the packs' order of their views. */
function countTypes(
  data: { types: string[]; type: number[] } | undefined,
  kinds: Map<string, EntityKind> | undefined,
): [string, number][] {
  if (!data) return [];
  const counts = new Array<number>(data.types.length).fill(0);
  for (const type of data.type) counts[type] = (counts[type] ?? 0) + 1;
  const order = (type: string) => kinds?.get(type)?.view?.order ?? 1_000;
  return data.types
    .map((type, i): [string, number] => [type, counts[i] ?? 0])
    .filter(([, count]) => count > 0)
    .sort((a, b) => order(a[0]) - order(b[0]) || a[1] - b[1]);
}

/** Which types are hidden is remembered on this device; at first, the packs say. */
const HIDDEN_REMEMBERED = "jingling.map.hidden";

function useHiddenTypes(types: Map<string, EntityKind> | undefined) {
  const [chosen, setChosen] = useState<string[] | null>(() => {
    try {
      return JSON.parse(localStorage.getItem(HIDDEN_REMEMBERED) ?? "null") as string[] | null;
    } catch {
      return null;
    }
  });
  const hidden = useMemo(
    () =>
      chosen ??
      [...(types?.values() ?? [])].filter((k) => k.view?.layer && !k.view.layer.shown).map((k) => k.name),
    [chosen, types],
  );
  const choose = (next: string[]) => {
    setChosen(next);
    try {
      localStorage.setItem(HIDDEN_REMEMBERED, JSON.stringify(next));
    } catch {
      // Not remembered, but used.
    }
  };
  return [hidden, choose] as const;
}

/** Typing waits this long before the server is asked, milliseconds. */
const TYPING_MS = 100;

function EntitySearch({ onPick }: { onPick: (id: string) => void }) {
  const { t, p } = useT();
  const [text, setText] = useState("");
  const [asked, setAsked] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const found = useQuery(searchQuery(asked));
  const types = useQuery(typesQuery).data;
  const option = (entity: Entity) => {
    const kind = types?.get(entity.type);
    return {
      value: entity.id,
      label: (
        <div className="search-hit">
          <span className="ellipsis">{entity.name || entity.id}</span>
          <span className="quiet">{kind ? p(kind.title_zh, kind.title_en) : entity.type}</span>
        </div>
      ),
    };
  };
  return (
    <AutoComplete
      className="map-search"
      value={text}
      options={asked ? (found.data?.items ?? []).map(option) : []}
      notFoundContent={asked && found.data ? t("map.search-none") : null}
      onChange={setText}
      onSelect={(id: string) => {
        setText("");
        onPick(id);
      }}
    >
      <Input.Search placeholder={t("map.search")} aria-label={t("map.search")} allowClear />
    </AutoComplete>
  );
}
