/** Where a charge or a reservation is, in words: in English by the place's and the point's English names, where they have them. */
import { useQuery } from "@tanstack/react-query";
import { useT } from "../../i18n/index.tsx";
import { pointAt } from "./find.ts";
import { placesQuery } from "./queries.ts";
import type { Order } from "./types.ts";

type Somewhere = Pick<Order, "place" | "point" | "station" | "outlet">;

export function useWhere(): (at: Somewhere) => string {
  const { t, language } = useT();
  // A charge carries the names in Chinese alone.
  const places = useQuery({
    ...placesQuery,
    enabled: language === "en",
    refetchInterval: false,
    staleTime: Number.POSITIVE_INFINITY,
  }).data;
  return ({ place, point, station, outlet }) => {
    const known = language === "en" && places ? pointAt(places.items, station, outlet ?? 0) : null;
    const own =
      known?.point.name_en ??
      point ??
      (outlet === null ? station : t("charge.outlet-of", { station, n: outlet }));
    const whole = known?.place.name_en ?? place;
    return whole && whole !== own ? `${whole} · ${own}` : own;
  };
}
