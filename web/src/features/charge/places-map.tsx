/** The places on the city's own map: how many of their points are free as a colour, and with the price in the name. */
import "../map/map.css";
import { MinusOutlined, PlusOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { useEffect, useMemo } from "react";
import { useT } from "../../i18n/index.tsx";
import { cityQuery } from "../../lib/session.ts";
import type { City, EntityKind, MapEntities } from "../../lib/types.ts";
import { Loaded } from "../../ui/states.tsx";
import { useBaseLayers, useMapView } from "../map/use-map-view.ts";
import { type Found, freeOf, standingOf } from "./find.ts";
import { priceNumber } from "./marks.tsx";

/** Air around the places, degrees: about 1 km. */
const MARGIN_DEG = 0.01;

const COLOURS = { free: "#2f8a57", full: "#c77700", out: "#8a979c" } as const;
type Kind = keyof typeof COLOURS;
const KINDS = Object.keys(COLOURS) as Kind[];

/** How a place stands: something is free; all is taken; nothing can be had of it. */
function kindOf({ fitting }: Found): Kind {
  if (freeOf(fitting) > 0) return "free";
  return fitting.some((point) => standingOf(point) === "busy") ? "full" : "out";
}

const kinds = new Map<string, EntityKind>(
  KINDS.map((name) => [
    name,
    {
      name,
      attributes: {},
      commands: [],
      data_subject: null,
      heard_within_seconds: null,
      open: false,
      source: null,
      title_zh: name,
      title_en: name,
      view: {
        layer: { colour: COLOURS[name], icon: "", attribute: null, isolines: null, shown: true, zoom_min: 0 },
      } as EntityKind["view"],
    },
  ]),
);

interface Shown {
  found: Found[];
  here: [number, number] | null;
  chosen: string | null;
  onChoose: (id: string | null) => void;
}

export function PlacesMap(shown: Shown) {
  const city = useQuery(cityQuery);
  return <Loaded query={city}>{(known) => <Drawn city={known} {...shown} />}</Loaded>;
}

function Drawn({ city, found, here, chosen, onChoose }: Shown & { city: City }) {
  const { t, language } = useT();
  const { container, view, broken } = useMapView(city, language, t("charge.map-label"), onChoose);
  useBaseLayers(view);
  const placed = useMemo(() => found.filter(({ place }) => place.location), [found]);
  const entities = useMemo<MapEntities>(
    () => ({
      at_position: 0,
      types: KINDS,
      ids: placed.map(({ place }) => place.id),
      type: placed.map((one) => KINDS.indexOf(kindOf(one))),
      lon: placed.map(({ place }) => place.location?.[0] ?? 0),
      lat: placed.map(({ place }) => place.location?.[1] ?? 0),
      severity: placed.map(() => 0),
      // What one looks for; the place's own name stands in the card of the one that is chosen.
      name: placed.map(({ place, fitting }) => {
        const free = `${freeOf(fitting)}/${fitting.length}`;
        return place.price ? `${free} · ¥${priceNumber(place.price.now)}` : free;
      }),
    }),
    [placed],
  );
  useEffect(() => {
    view?.setKinds(kinds);
    view?.setFew(true);
  }, [view]);
  useEffect(() => {
    view?.setEntities(entities);
  }, [view, entities]);
  useEffect(() => view?.select(chosen), [view, chosen]);
  useEffect(() => {
    if (view && here) view.setRoute(here, []);
  }, [view, here]);
  // Which places there are, not how they stand: a map that moves by itself every ten seconds would be no help.
  const which = placed.map(({ place }) => place.id).join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: looked at anew with other places, or another place of the phone
  useEffect(() => {
    const spots = [
      ...placed.flatMap(({ place }) => (place.location ? [place.location] : [])),
      ...(here ? [here] : []),
    ];
    if (!view || spots.length === 0) return;
    const lons = spots.map(([lon]) => lon);
    const lats = spots.map(([, lat]) => lat);
    view.fit([
      Math.min(...lons) - MARGIN_DEG,
      Math.min(...lats) - MARGIN_DEG,
      Math.max(...lons) + MARGIN_DEG,
      Math.max(...lats) + MARGIN_DEG,
    ]);
  }, [view, which, here]);
  const spot = placed.find(({ place }) => place.id === chosen)?.place.location;
  const [lon, lat] = spot ?? [];
  // What is chosen stands free of its card, which lies over the lower part.
  useEffect(() => {
    if (view && lon !== undefined && lat !== undefined) view.flyTo([lon, lat], true);
  }, [view, lon, lat]);
  return (
    <div className="charge-map">
      <div ref={container} className="map-canvas" data-testid="charge-map" />
      {broken && <div className="map-broken">{t("map.no-webgl")}</div>}
      <div className="map-tools">
        <Button icon={<PlusOutlined />} aria-label={t("map.zoom-in")} onClick={() => view?.zoom(1)} />
        <Button icon={<MinusOutlined />} aria-label={t("map.zoom-out")} onClick={() => view?.zoom(-1)} />
      </div>
      <ul className="plain-list charge-legend" aria-label={t("charge.legend")}>
        {KINDS.map((kind) => (
          <li key={kind}>
            <span className="charge-dot" style={{ background: COLOURS[kind] }} aria-hidden="true" />
            {t(`charge-legend.${kind}`)}
          </li>
        ))}
        <li className="quiet">{t("charge.legend-numbers")}</li>
      </ul>
    </div>
  );
}
