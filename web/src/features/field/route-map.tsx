/** The way through a day's tasks on the city's own map, which is drawn from data that the phone holds. */
import "../map/map.css";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useT } from "../../i18n/index.tsx";
import { cityQuery } from "../../lib/session.ts";
import type { City, Place } from "../../lib/types.ts";
import { Loaded } from "../../ui/states.tsx";
import { useBaseLayers, useMapView } from "../map/use-map-view.ts";
import type { Leg } from "./route.ts";

/** Air around the way, degrees: about 500 m. */
const MARGIN_DEG = 0.005;

export function RouteMap({ legs, from }: { legs: Leg[]; from: Place | null }) {
  const city = useQuery(cityQuery);
  return <Loaded query={city}>{(found) => <Drawn city={found} legs={legs} from={from} />}</Loaded>;
}

function Drawn({ city, legs, from }: { city: City; legs: Leg[]; from: Place | null }) {
  const { t, language } = useT();
  const { container, view, broken } = useMapView(city, language, t("field.route-map-label"), () => {});
  useBaseLayers(view);
  useEffect(() => {
    if (!view) return;
    const stops = legs.map((leg) => leg.place);
    view.setRoute(from, stops);
    const all = from ? [from, ...stops] : stops;
    const lons = all.map(([lon]) => lon);
    const lats = all.map(([, lat]) => lat);
    view.fit([
      Math.min(...lons) - MARGIN_DEG,
      Math.min(...lats) - MARGIN_DEG,
      Math.max(...lons) + MARGIN_DEG,
      Math.max(...lats) + MARGIN_DEG,
    ]);
  }, [view, legs, from]);
  return (
    <div className="field-route-map">
      <div ref={container} className="map-canvas" data-testid="field-route-map" data-stops={legs.length} />
      {broken && <div className="map-broken">{t("map.no-webgl")}</div>}
    </div>
  );
}
