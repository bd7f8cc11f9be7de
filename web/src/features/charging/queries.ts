/** Reads charging: figures, sessions, tariffs, cards, stations on the line, other platforms, settlement, invoices; decides, puts in force, registers, and tells stations. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { change, get, query } from "../../lib/api.ts";
import type {
  ChargingCard,
  ChargingCardDraft,
  ChargingCards,
  ChargingDecision,
  ChargingExchange,
  ChargingFigures,
  ChargingInvoice,
  ChargingInvoiceStep,
  ChargingInvoices,
  ChargingOrder,
  ChargingOrderAnswer,
  ChargingPayments,
  ChargingRefundDraft,
  ChargingSeller,
  ChargingSellers,
  ChargingSessionDetail,
  ChargingSessions,
  ChargingSettlement,
  ChargingStationLines,
  ChargingTariffs,
  ExchangeOrders,
  ExchangeStatements,
  SharedCharging,
} from "../../lib/types.ts";
import type { WrittenTariff } from "./tariff.ts";

const CHARGING = "/api/v1/charging";
/** What all keys of this room begin with. */
export const ROOM = ["charging"];
/** Who looks at a page sees what changed within this time, milliseconds. */
const FIGURES_MS = 30_000;
const SESSIONS_MS = 15_000;
const LINE_MS = 10_000;
/** What a list only needs beside it may be this old, milliseconds. */
const BESIDE_MS = 5 * 60_000;
/** Pages of sessions that are asked for anew by themselves; who reads far back does not look for what is new. */
const RENEWED_PAGES_MAX = 2;
/** Sessions of a station that charge now, which an order may name. */
const RUNNING_MAX = 50;

/** The states of a session, in the order of its life. */
export const STATES = ["charging", "waiting", "unpriced", "doubtful", "billed"] as const;
export type State = (typeof STATES)[number];

/** Which sessions are looked for. */
export interface SessionFilter {
  state?: string;
  station?: string;
  operator?: string;
  card?: string;
  corrected?: boolean;
  /** Ended on these days, or begun on them and going on. */
  from?: string;
  to?: string;
}

export const sessionPath = (id: number) => `/charging/sessions/${id}`;

/** The page of sessions with a filter, as an address. */
export const sessionsPath = (filter: SessionFilter) =>
  `/charging${query({ view: "sessions", ...filter, corrected: filter.corrected ? 1 : undefined })}`;

export const figuresQuery = (from: string, to: string) =>
  queryOptions({
    queryKey: [...ROOM, "figures", from, to],
    queryFn: ({ signal }) => get<ChargingFigures>(`${CHARGING}/figures${query({ from, to })}`, signal),
    placeholderData: keepPreviousData,
    refetchInterval: FIGURES_MS,
  });

/** The same beside a list: for who operates, and how many stations there are. */
export const figuresBesideQuery = (from: string, to: string) =>
  queryOptions({ ...figuresQuery(from, to), refetchInterval: false, staleTime: BESIDE_MS });

export const sessionsQuery = (filter: SessionFilter) =>
  infiniteQueryOptions({
    queryKey: [...ROOM, "sessions", filter],
    queryFn: ({ pageParam, signal }) =>
      get<ChargingSessions>(
        `${CHARGING}/sessions${query({ ...filter, corrected: filter.corrected || undefined, after: pageParam })}`,
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: ({ state: { data } }) =>
      (data?.pages.length ?? 0) <= RENEWED_PAGES_MAX ? SESSIONS_MS : false,
  });

/** What charges now at a station. */
export const runningQuery = (station: string) =>
  queryOptions({
    queryKey: [...ROOM, "running", station],
    queryFn: ({ signal }) =>
      get<ChargingSessions>(
        `${CHARGING}/sessions${query({ station, state: "charging", limit: RUNNING_MAX })}`,
        signal,
      ),
    staleTime: 0,
  });

/** One session whole; until it is billed or held it is looked at again. */
export const sessionQuery = (id: string) =>
  queryOptions({
    queryKey: [...ROOM, "session", id],
    queryFn: ({ signal }) =>
      get<ChargingSessionDetail>(`${CHARGING}/sessions/${encodeURIComponent(id)}`, signal),
    refetchInterval: ({ state: { data } }) =>
      data && ["charging", "waiting", "unpriced"].includes(data.session.state) ? SESSIONS_MS : false,
  });

export function decide(id: number, decision: ChargingDecision): Promise<ChargingSessionDetail> {
  return change("POST", `${CHARGING}/sessions/${id}/decision`, decision);
}

/** How a session was paid; looked at again while anything is under way. */
export const paymentsQuery = (id: number) =>
  queryOptions({
    queryKey: [...ROOM, "payments", id],
    queryFn: ({ signal }) => get<ChargingPayments>(`${CHARGING}/sessions/${id}/payments`, signal),
    refetchInterval: ({ state: { data } }) =>
      [...(data?.payments ?? []), ...(data?.refunds ?? [])].some(({ state }) => state === "open")
        ? LINE_MS
        : false,
  });

export function refund(id: number, draft: ChargingRefundDraft): Promise<ChargingPayments> {
  return change("POST", `${CHARGING}/sessions/${id}/refunds`, draft);
}

export const tariffsQuery = queryOptions({
  queryKey: [...ROOM, "tariffs"],
  queryFn: ({ signal }) => get<ChargingTariffs>(`${CHARGING}/tariffs`, signal),
});

export function addTariff(draft: {
  station: string | null;
  from: string;
  tariff: WrittenTariff;
}): Promise<ChargingTariffs> {
  return change("POST", `${CHARGING}/tariffs`, draft);
}

export const cardsQuery = infiniteQueryOptions({
  queryKey: [...ROOM, "cards"],
  queryFn: ({ pageParam, signal }) =>
    get<ChargingCards>(`${CHARGING}/cards${query({ after: pageParam })}`, signal),
  initialPageParam: null as string | null,
  getNextPageParam: (last) => last.next,
});

export function putCard(draft: ChargingCardDraft): Promise<ChargingCard> {
  return change("PUT", `${CHARGING}/cards`, draft);
}

export const stationsQuery = queryOptions({
  queryKey: [...ROOM, "stations"],
  queryFn: ({ signal }) => get<ChargingStationLines>(`${CHARGING}/stations`, signal),
  refetchInterval: LINE_MS,
});

export const gridQuery = queryOptions({
  queryKey: [...ROOM, "grid"],
  queryFn: ({ signal }) => get<SharedCharging>(`${CHARGING}/grid`, signal),
  refetchInterval: LINE_MS,
});

export function order(identity: string, told: ChargingOrder): Promise<ChargingOrderAnswer> {
  return change("POST", `${CHARGING}/stations/${encodeURIComponent(identity)}/orders`, told);
}

export const exchangeQuery = queryOptions({
  queryKey: [...ROOM, "exchange"],
  queryFn: ({ signal }) => get<ChargingExchange>(`${CHARGING}/exchange`, signal),
  refetchInterval: FIGURES_MS,
});

export const exchangeOrdersQuery = (disputed: boolean) =>
  infiniteQueryOptions({
    queryKey: [...ROOM, "exchange-orders", disputed],
    queryFn: ({ pageParam, signal }) =>
      get<ExchangeOrders>(
        `${CHARGING}/exchange/orders${query({ disputed: disputed || undefined, after: pageParam })}`,
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

/** What a month comes to by operator. */
export const settlementQuery = (month: string) =>
  queryOptions({
    queryKey: [...ROOM, "settlement", month],
    queryFn: ({ signal }) => get<ChargingSettlement>(`${CHARGING}/settlements/${month}`, signal),
  });

export const settlementPath = (month: string) => `${CHARGING}/settlements/${month}/table.csv`;

export function settle(month: string): Promise<ChargingSettlement> {
  return change("POST", `${CHARGING}/settlements/${month}`);
}

export const invoicesQuery = (state: string | undefined, changed: boolean) =>
  infiniteQueryOptions({
    queryKey: [...ROOM, "invoices", state, changed],
    queryFn: ({ pageParam, signal }) =>
      get<ChargingInvoices>(
        `${CHARGING}/invoices${query({ state, changed: changed || undefined, after: pageParam })}`,
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

export const invoiceExportPath = (what: "asked" | "red", format: "json" | "csv") =>
  `${CHARGING}/invoices/export${query({ what, format })}`;

export function stepInvoice(id: number, step: ChargingInvoiceStep): Promise<ChargingInvoice> {
  return change("POST", `${CHARGING}/invoices/${id}/steps`, step);
}

export const sellersQuery = queryOptions({
  queryKey: [...ROOM, "sellers"],
  queryFn: ({ signal }) => get<ChargingSellers>(`${CHARGING}/invoices/sellers`, signal),
});

export function putSeller(seller: ChargingSeller): Promise<ChargingSellers> {
  return change("PUT", `${CHARGING}/invoices/sellers`, seller);
}

/** A month's money with other platforms. */
export const statementsQuery = (month: string) =>
  queryOptions({
    queryKey: [...ROOM, "statements", month],
    queryFn: ({ signal }) => get<ExchangeStatements>(`${CHARGING}/exchange/statements/${month}`, signal),
  });

export const statementsPath = (month: string) => `${CHARGING}/exchange/statements/${month}/orders.csv`;

export function enterStatement(month: string, partner: string): Promise<ExchangeStatements> {
  return change("POST", `${CHARGING}/exchange/statements/${month}/${encodeURIComponent(partner)}`);
}
