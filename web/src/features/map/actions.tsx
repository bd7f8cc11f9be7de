/** What can be done on the map. */
import { AimOutlined, HeatMapOutlined, MinusOutlined, PlusOutlined } from "@ant-design/icons";
import type { Action } from "../../lib/actions.tsx";
import type { City } from "../../lib/types.ts";
import type { MapView } from "./map-view.ts";
import type { IsolineSwitch } from "./use-isolines.ts";

export interface MapContext {
  view: MapView | null;
  city: City;
  isolines: Pick<IsolineSwitch, "choices" | "toggle">;
}

export const mapActions: Action<MapContext>[] = [
  {
    name: "map.zoom-in",
    title: "map.zoom-in",
    permission: "entity.read",
    icon: <PlusOutlined />,
    shortcut: "+",
    predicate: ({ view }) => view !== null,
    perform: ({ view }) => view?.zoom(1),
  },
  {
    name: "map.zoom-out",
    title: "map.zoom-out",
    permission: "entity.read",
    icon: <MinusOutlined />,
    shortcut: "-",
    predicate: ({ view }) => view !== null,
    perform: ({ view }) => view?.zoom(-1),
  },
  {
    name: "map.whole-city",
    title: "map.whole-city",
    permission: "entity.read",
    icon: <AimOutlined />,
    shortcut: "0",
    predicate: ({ view }) => view !== null,
    perform: ({ view, city }) => view?.fit(city.bbox),
  },
  {
    name: "map.isolines",
    title: "map.isolines-toggle",
    permission: "entity.read",
    icon: <HeatMapOutlined />,
    shortcut: "i",
    predicate: ({ view, isolines }) => view !== null && isolines.choices.length > 0,
    perform: ({ isolines }) => isolines.toggle(),
  },
];
