/** What the server says of charging to a driver. Times are RFC 3339 in UTC; money in fen, energy in Wh, power in W. */
import type { components } from "../../lib/api-schema.ts";

type Schemas = components["schemas"];

/** A sentence in both languages. */
export type Told = Schemas["ChargingWords"];
/** What a kilowatt-hour costs, 1/10,000 yuan. */
export type Price = Schemas["ChargingPlacePrice"];
/** An outlet where a driver can charge. */
export type Point = Schemas["ChargingPlacePoint"];
export type Place = Omit<Schemas["ChargingPlace"], "location"> & {
  /** Longitude and latitude, degrees, WGS 84. */
  location: [number, number] | null;
};
export type Payment = Schemas["ChargingPaying"];
export type Places = Omit<Schemas["ChargingPlaces"], "items"> & { items: Place[] };

/** The states of a charge, in the order of its life. */
export const ORDER_STATES = [
  "holding",
  "starting",
  "charging",
  "ended",
  "review",
  "paying",
  "owed",
  "paid",
  "free",
  "refused",
] as const;
export type OrderState = (typeof ORDER_STATES)[number];

export type Order = Omit<Schemas["ChargingMine"], "state"> & { state: OrderState };
export type Orders = Omit<Schemas["ChargingMineList"], "items"> & { items: Order[] };
export type Reading = Schemas["ChargingMineReading"];
export type OrderDetail = Omit<Schemas["ChargingMineDetail"], "order"> & { order: Order };

export type Reservation = Omit<Schemas["ChargingReservation"], "state"> & {
  state: "held" | "confirmed" | "in_use" | "done" | "cancelled" | "expired" | "no_show";
};
export type Span = Schemas["ChargingBusy"];
/** When an outlet is taken, and what may be asked for. */
export type Free = Schemas["ChargingFree"];
/** Invoices that were asked for, and one to be asked for. */
export type Invoice = Schemas["ChargingInvoice"];
export type Invoices = Schemas["ChargingInvoices"];
export type InvoiceDraft = Schemas["ChargingInvoiceDraft"];
