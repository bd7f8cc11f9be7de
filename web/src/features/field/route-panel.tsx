/** The way through a day's tasks: from where the worker is, told as straight lines, on the map when wanted. */
import { AimOutlined, NodeIndexOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { lazy, Suspense, useEffect, useState } from "react";
import { useT } from "../../i18n/index.tsx";
import type { Place } from "../../lib/types.ts";
import { Guard, Loading } from "../../ui/states.tsx";
import { type Located, locate } from "./locate.ts";
import { type Leg, lengthOf } from "./route.ts";
import { distance } from "./task.tsx";

export interface Start {
  /** Where the worker is; null when the phone does not say. */
  place: Place | null;
}

const loadMap = () => import("./route-map.tsx");
const RouteMap = lazy(async () => ({ default: (await loadMap()).RouteMap }));

export function RoutePanel({
  legs,
  start,
  onStart,
}: {
  legs: Leg[] | null;
  start: Start | null;
  onStart: (start: Start | null) => void;
}) {
  const { t } = useT();
  const [busy, setBusy] = useState(false);
  const [located, setLocated] = useState<Located | null>(null);
  const [map, setMap] = useState(false);
  // The map's program is fetched while there is a network.
  useEffect(() => {
    loadMap().catch(() => {});
  }, []);
  const find = async () => {
    setBusy(true);
    const found = await locate();
    setBusy(false);
    setLocated(found);
    onStart({ place: "spot" in found ? [found.spot.lon, found.spot.lat] : null });
  };
  return (
    <section className="field-route" aria-label={t("field.route")}>
      <div className="field-row">
        <Button icon={<AimOutlined />} loading={busy} onClick={() => void find()} data-testid="field-route">
          {t(start ? "field.route-again" : "field.route-find")}
        </Button>
        {start && <Button onClick={() => onStart(null)}>{t("field.route-none")}</Button>}
        {legs && legs.length > 0 && (
          <Button icon={<NodeIndexOutlined />} onClick={() => setMap(!map)} aria-expanded={map}>
            {t(map ? "field.route-hide" : "field.route-map")}
          </Button>
        )}
      </div>
      {located && "refused" in located && (
        <p className="quiet" role="status">
          {t("field.route-nowhere")}
        </p>
      )}
      {legs && (
        <p className="quiet">
          {legs.length > 0
            ? t("field.route-length", { n: legs.length, distance: distance(lengthOf(legs), t) })
            : t("field.route-places-none")}
        </p>
      )}
      {map && legs && legs.length > 0 && (
        <Guard resetKey="" fallback={() => <p className="quiet">{t("field.route-map-none")}</p>}>
          <Suspense fallback={<Loading />}>
            <RouteMap legs={legs} from={start?.place ?? null} />
          </Suspense>
        </Guard>
      )}
    </section>
  );
}
