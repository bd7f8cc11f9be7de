/** Where a charge or a reservation is, in words: in English by the place's and the point's English names, where they have them. */
import { useT } from "../../i18n/index.tsx";
import type { Order } from "./types.ts";

type Somewhere = Pick<Order, "place" | "place_en" | "point" | "point_en" | "station" | "outlet">;

export function useWhere(): (at: Somewhere) => string {
  const { t, language } = useT();
  return ({ place, place_en, point, point_en, station, outlet }) => {
    const isEnglish = language === "en";
    const own =
      (isEnglish && point_en) ||
      (point ?? (outlet === null ? station : t("charge.outlet-of", { station, n: outlet })));
    const whole = (isEnglish && place_en) || place;
    return whole && whole !== own ? `${whole} · ${own}` : own;
  };
}
