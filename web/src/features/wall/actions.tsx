/** What can be done on the wall, by a remote control's keys too: fill the screen, see the whole city, leave. */
import { AimOutlined, CloseOutlined, FullscreenOutlined } from "@ant-design/icons";
import type { NavigateFunction } from "react-router";
import type { Action } from "../../lib/actions.tsx";
import type { City } from "../../lib/types.ts";
import type { MapView } from "../map/map-view.ts";

export interface WallContext {
  view: MapView | null;
  city: City;
  navigate: NavigateFunction;
}

export const wallActions: Action<WallContext>[] = [
  {
    name: "wall.fullscreen",
    title: "wall.fullscreen",
    permission: "entity.read",
    icon: <FullscreenOutlined />,
    shortcut: "f",
    predicate: () => document.fullscreenEnabled,
    perform: () =>
      document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen(),
  },
  {
    name: "wall.whole-city",
    title: "map.whole-city",
    permission: "entity.read",
    icon: <AimOutlined />,
    shortcut: "0",
    predicate: ({ view }) => view !== null,
    perform: ({ view, city }) => view?.fit(city.bbox),
  },
  {
    name: "wall.leave",
    title: "wall.leave",
    permission: null,
    icon: <CloseOutlined />,
    shortcut: "q",
    predicate: () => true,
    perform: ({ navigate }) => navigate("/"),
  },
];
