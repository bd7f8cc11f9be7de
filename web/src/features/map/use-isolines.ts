/**
 * Which lines of equal value are shown, and the lines themselves: read and reckoned only while they are shown, anew at
 * most every few seconds, and only when a value that counts changed.
 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { throttle, useLive } from "../../lib/live.ts";
import type { City, EntityKind, PackView, ViewIsolines } from "../../lib/types.ts";
import { type Gauges, gaugesOf, type Isolines, isolinesOf, signatureOf } from "./isolines.ts";
import type { MapView } from "./map-view.ts";
import { stationsQuery } from "./queries.ts";

/** Least time between two readings of the stations, milliseconds, at rest and while a hand moves the map. */
const REREAD_MS = 5_000;
const REREAD_MOVING_MS = 30_000;

/** A view that has lines, of a type. */
export interface IsolineView {
  view: PackView;
  isolines: ViewIsolines;
  type: string;
  /** UN/CEFACT code of the levels' unit. */
  unit: string | null;
}

export interface IsolineSwitch {
  /** In the packs' order. */
  choices: IsolineView[];
  chosen: IsolineView | null;
  /** Shows these and no others: bands over bands would say nothing. Null: none. */
  choose: (id: string | null) => void;
  /** Hides them, or shows those that were shown last, else the first. */
  toggle: () => void;
}

/** What is shown is remembered on this device; at first, the packs say. */
const REMEMBERED = "jingling.map.isolines";
/** What is remembered when none are shown; no view has such an id. */
const NONE = "";

export function useIsolineSwitch(types: Map<string, EntityKind> | undefined) {
  const [remembered, setRemembered] = useState<string | null>(() => {
    try {
      return localStorage.getItem(REMEMBERED);
    } catch {
      return null;
    }
  });
  const [last, setLast] = useState<string | null>(null);
  const choices = useMemo(() => choicesOf(types?.values() ?? []), [types]);
  const chosen = useMemo(
    () =>
      choices.find(({ view }) =>
        remembered === null ? view.layer?.shown === true : view.id === remembered,
      ) ?? null,
    [choices, remembered],
  );
  const choose = (id: string | null) => {
    setLast(chosen?.view.id ?? last);
    setRemembered(id ?? NONE);
    try {
      localStorage.setItem(REMEMBERED, id ?? NONE);
    } catch {
      // Not remembered, but used.
    }
  };
  const toggle = () => {
    const again = choices.find(({ view }) => view.id === last) ?? choices[0];
    choose(chosen ? null : (again?.view.id ?? null));
  };
  return { choices, chosen, choose, toggle } satisfies IsolineSwitch;
}

export function choicesOf(types: Iterable<EntityKind>): IsolineView[] {
  const found: IsolineView[] = [];
  for (const { name, views, attributes } of types) {
    for (const view of views ?? []) {
      const isolines = view.layer?.isolines;
      if (isolines)
        found.push({ view, isolines, type: name, unit: attributes[isolines.attribute]?.unit ?? null });
    }
  }
  return found.sort((a, b) => a.view.order - b.view.order || a.view.id.localeCompare(b.view.id));
}

/** What the legend tells. */
export interface IsolineState {
  /** Null while it is read. */
  gauges: Gauges | null;
  /** Null where too few stations count. */
  lines: Isolines | null;
  /** There are more entities than are read. */
  truncated: boolean;
  /** The last reading failed: what is shown, if anything, is of the one before. */
  failed: boolean;
  retry: () => void;
}

/** Draws what is chosen. */
export function useIsolines(view: MapView | null, city: City, chosen: IsolineView | null): IsolineState {
  const queryClient = useQueryClient();
  const query = stationsQuery(chosen?.type ?? "", chosen?.isolines.attribute ?? "");
  const stations = useQuery({ ...query, enabled: chosen !== null });
  const data = chosen ? stations.data : undefined;
  const gauges = useMemo(
    () => (chosen && data ? gaugesOf(data.entities, chosen.isolines, data.readAt) : null),
    [chosen, data],
  );
  const signature = gauges && signatureOf(gauges.used);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the signature is of the gauges; other times of the same values draw the same.
  const lines = useMemo(
    () => (chosen && gauges ? isolinesOf(gauges.used, chosen.isolines, city.bbox) : null),
    [chosen, signature, city],
  );
  useEffect(() => view?.setIsolines(lines), [view, lines]);

  const known = useMemo(() => new Set(data?.entities.map(({ id }) => id)), [data]);
  const reread = useMemo(() => {
    let last = performance.now();
    const read = throttle(REREAD_MS, () => {
      if (view?.moving && performance.now() - last < REREAD_MOVING_MS) return read();
      last = performance.now();
      void queryClient.invalidateQueries({ queryKey: ["map-stations"] });
    });
    return read;
  }, [queryClient, view]);
  useEffect(() => () => reread.cancel(), [reread]);
  useLive("entity", ({ ids }) => {
    if (known.size > 0 && ids.some((id) => known.has(id))) reread();
  });

  return {
    gauges,
    lines,
    truncated: data?.truncated ?? false,
    failed: chosen !== null && stations.isError,
    retry: () => void stations.refetch(),
  };
}
