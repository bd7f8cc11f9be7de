/** Places and charges for the tests of this room. */
import type { Order, Place, Places, Point } from "./types.ts";

export const point = (more: Partial<Point> = {}): Point => ({
  id: "urn:ngsi-ld:ChargePoint:CP1",
  station: "CP1",
  outlet: 1,
  name: "一号枪",
  name_en: "Outlet one",
  connector_type: "GB/T 20234.3",
  rated_power_w: 120_000,
  status: "Available",
  at: "2026-11-29T08:00:00Z",
  on_line: true,
  may_start: true,
  why_not: null,
  ...more,
});

const taken = { may_start: false, why_not: { zh: "正有别的车在充电", en: "another vehicle charges there" } };

export const place = (more: Partial<Place> = {}): Place => ({
  id: "east",
  name: "东湖公园",
  name_en: "East Lake",
  operator: "城投",
  location: [113.172, 30.655],
  note: null,
  price: { now: 10_500, energy: 6_000, service: 4_500, until: null },
  points: [
    point(),
    point({
      id: "urn:ngsi-ld:ChargePoint:CP1:2",
      outlet: 2,
      name: "二号枪",
      name_en: "Outlet two",
      status: "Charging",
      ...taken,
    }),
  ],
  ...more,
});

export const places = (more: Partial<Places> = {}): Places => ({
  items: [
    place(),
    place({
      id: "south",
      name: "南站",
      name_en: "South Station",
      operator: null,
      location: [113.12, 30.6],
      price: null,
      points: [
        point({
          id: "urn:ngsi-ld:ChargePoint:S1",
          station: "S1",
          rated_power_w: 7_000,
          connector_type: "GB/T 20234.2",
          status: "Faulted",
          may_start: false,
          why_not: { zh: "故障", en: "it is faulted" },
        }),
      ],
    }),
  ],
  hold_fen: 5_000,
  payment: { is_open: true, is_sandbox: true },
  at: "2026-11-29T08:00:00Z",
  ...more,
});

export const order = (more: Partial<Order> = {}): Order => ({
  id: "a1",
  station: "CP1",
  outlet: 1,
  place: "东湖公园",
  place_en: "East Lake",
  point: "一号枪",
  point_en: "Outlet one",
  state: "charging",
  told: null,
  asked_at: "2026-11-29T08:00:00Z",
  started_at: "2026-11-29T08:01:00Z",
  ended_at: null,
  energy_wh: 18_400,
  power_w: 62_300,
  estimate_fen: 1_932,
  due_fen: null,
  paid_fen: 0,
  refunded_fen: 0,
  owed_fen: 0,
  may_stop: true,
  may_pay: false,
  operator: null,
  may_invoice: false,
  invoice: null,
  ...more,
});
