/** Reads where a driver can charge, and the driver's own charges and reservations; starts, stops, pays, complains, reserves, asks for invoices. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { change, get, query } from "../../lib/api.ts";
import type {
  Free,
  Invoice,
  InvoiceDraft,
  Invoices,
  Order,
  OrderDetail,
  OrderState,
  Orders,
  Places,
  Reservation,
} from "./types.ts";

const CHARGING = "/api/v1/charging";
/** What all keys of this room begin with. */
export const ROOM = ["charge"];
/** Who looks at a page sees what changed within this time, milliseconds. */
const PLACES_MS = 10_000;
const LIVE_MS = 3_000;
const BILL_MS = 10_000;
const LISTS_MS = 15_000;
/** Pages of charges that are asked for anew by themselves. */
const RENEWED_PAGES_MAX = 2;

/** Longest complaint, characters. */
export const COMPLAINT_CHARS_MAX = 1_000;

/** States in which something is to come within seconds, and in which a bill or its payment is waited for. */
export const IS_LIVE: ReadonlySet<OrderState> = new Set(["holding", "starting", "charging"]);
const IS_WAITING: ReadonlySet<OrderState> = new Set(["ended", "review", "paying", "owed"]);

export const orderPath = (id: string) => `/charge/orders/${encodeURIComponent(id)}`;
export const placePath = (id: string) => `/charge/places/${encodeURIComponent(id)}`;
/** Where the code on a point leads to. */
export const pointPath = (station: string, outlet: number) =>
  `/charge/at/${encodeURIComponent(station)}/${outlet}`;
export const reservePath = (station: string, outlet: number) =>
  `/charge/reserve/${encodeURIComponent(station)}/${outlet}`;

export const placesQuery = queryOptions({
  queryKey: [...ROOM, "places"],
  queryFn: ({ signal }) => get<Places>(`${CHARGING}/places`, signal),
  refetchInterval: PLACES_MS,
});

export const mineQuery = infiniteQueryOptions({
  queryKey: [...ROOM, "mine"],
  queryFn: ({ pageParam, signal }) => get<Orders>(`${CHARGING}/mine${query({ after: pageParam })}`, signal),
  initialPageParam: null as string | null,
  getNextPageParam: (last) => last.next,
  refetchInterval: ({ state: { data } }) =>
    (data?.pages.length ?? 0) <= RENEWED_PAGES_MAX ? LISTS_MS : false,
});

/** A charge whole; looked at again as long as something is to come. */
export const orderQuery = (id: string) =>
  queryOptions({
    queryKey: [...ROOM, "order", id],
    queryFn: ({ signal }) => get<OrderDetail>(`${CHARGING}/mine/${encodeURIComponent(id)}`, signal),
    refetchInterval: ({ state: { data } }) => {
      if (!data) return false;
      if (IS_LIVE.has(data.order.state)) return LIVE_MS;
      return IS_WAITING.has(data.order.state) ? BILL_MS : false;
    },
  });

/** Begins a charge; the same key is the same request, however often it is sent. */
export function start(station: string, outlet: number, key: string): Promise<Order> {
  return change("POST", `${CHARGING}/mine`, { station, outlet, key });
}

export function stop(id: string): Promise<Order> {
  return change("POST", `${CHARGING}/mine/${encodeURIComponent(id)}/stop`);
}

/** Pays what is owed. */
export function pay(id: string): Promise<Order> {
  return change("POST", `${CHARGING}/mine/${encodeURIComponent(id)}/payment`);
}

export function complain(id: string, text: string): Promise<{ case: string }> {
  return change("POST", `${CHARGING}/mine/${encodeURIComponent(id)}/complaint`, { text });
}

export const reservationsQuery = queryOptions({
  queryKey: [...ROOM, "reservations"],
  queryFn: ({ signal }) => get<{ items: Reservation[] }>(`${CHARGING}/reservations`, signal),
  refetchInterval: LISTS_MS,
});

export const freeQuery = (station: string, outlet: number) =>
  queryOptions({
    queryKey: [...ROOM, "free", station, outlet],
    queryFn: ({ signal }) => get<Free>(`${CHARGING}/reservations/free${query({ station, outlet })}`, signal),
    refetchInterval: LISTS_MS,
  });

export function reserve(asked: {
  station: string;
  outlet: number;
  from: string;
  to: string;
  key: string;
}): Promise<Reservation> {
  return change("POST", `${CHARGING}/reservations`, asked);
}

export function giveUp(id: number): Promise<void> {
  return change("DELETE", `${CHARGING}/reservations/${id}`);
}

export const myInvoicesQuery = infiniteQueryOptions({
  queryKey: [...ROOM, "invoices"],
  queryFn: ({ pageParam, signal }) =>
    get<Invoices>(`${CHARGING}/mine/invoices${query({ after: pageParam })}`, signal),
  initialPageParam: null as string | null,
  getNextPageParam: (last) => last.next,
});

/** Asks for an invoice; the same key is the same request. */
export function askInvoice(draft: InvoiceDraft): Promise<Invoice> {
  return change("POST", `${CHARGING}/mine/invoices`, draft);
}
