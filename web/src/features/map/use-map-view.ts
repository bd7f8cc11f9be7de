/** Puts a map on a page: made once its container is there, taken away with it, and given the city's own layers. */
import { useQueries } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { Language } from "../../lib/format.ts";
import type { City, EntityKind, MapEntities } from "../../lib/types.ts";
import { BASE_LAYERS } from "./base.ts";
import { MapView } from "./map-view.ts";
import { baseLayerQuery } from "./queries.ts";

export function useMapView(
  city: City,
  language: Language,
  label: string,
  onSelect: (id: string | null, byKey: boolean) => void,
) {
  const container = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<MapView | null>(null);
  const [broken, setBroken] = useState(false);
  const latest = useRef({ onSelect, label });
  latest.current = { onSelect, label };
  useEffect(() => {
    if (!container.current) return;
    try {
      const made = new MapView(container.current, city, language, latest.current.label, {
        onSelect: (id, byKey) => latest.current.onSelect(id, byKey),
      });
      setView(made);
      return () => {
        setView(null);
        made.remove();
      };
    } catch {
      setBroken(true); // No WebGL: lists, search and cards still work.
    }
  }, [city, language]);
  return { container, view, broken };
}

/** Shows these entities as their packs' types say, as they change. */
export function useEntities(
  view: MapView | null,
  entities: MapEntities | undefined,
  types: Map<string, EntityKind> | undefined,
) {
  useEffect(() => {
    if (view && entities) view.setEntities(entities);
  }, [view, entities]);
  useEffect(() => {
    if (view && types) view.setKinds(types);
  }, [view, types]);
}

export function useBaseLayers(view: MapView | null) {
  const layers = useQueries({ queries: BASE_LAYERS.map((layer) => baseLayerQuery(layer)) });
  const data = layers.map((layer) => layer.data);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the four answers, one by one; their list is new each time.
  useEffect(() => {
    BASE_LAYERS.forEach((layer, i) => {
      const answer = data[i];
      if (view && answer) view.setBase(layer, answer);
    });
  }, [view, ...data]);
}
