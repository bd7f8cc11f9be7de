/** Reads forms that are filled in once, the burden and disputes; saves, hands in, returns, disputes. All keys begin with `forms`. */
import { queryOptions } from "@tanstack/react-query";
import { change, get, query } from "../../lib/api.ts";
import type {
  FormBurden,
  FormDetail,
  FormDispute,
  FormDisputes,
  FormReturns,
  Forms,
} from "../../lib/types.ts";

const FORMS = "/api/v1/forms";

/** A form of a period in a town or village. */
export interface Place {
  id: string;
  division: string;
  period: string;
}

const at = ({ id, division, period }: Place) =>
  `${FORMS}/${[id, division, period].map(encodeURIComponent).join("/")}`;

export const formPath = ({ id, division, period }: Place) =>
  `/forms/${[id, division, period].map(encodeURIComponent).join("/")}`;

export const formsQuery = queryOptions({
  queryKey: ["forms", "list"],
  queryFn: ({ signal }) => get<Forms>(FORMS, signal),
});

export const returnsQuery = (id: string) =>
  queryOptions({
    queryKey: ["forms", "returns", id],
    queryFn: ({ signal }) => get<FormReturns>(`${FORMS}/${encodeURIComponent(id)}/returns`, signal),
  });

export const burdenQuery = (town: string | null) =>
  queryOptions({
    queryKey: ["forms", "burden", town],
    queryFn: ({ signal }) => get<FormBurden>(`${FORMS}/burden${query({ town })}`, signal),
  });

export const formQuery = (place: Place) =>
  queryOptions({
    queryKey: ["forms", "one", place.id, place.division, place.period],
    queryFn: ({ signal }) => get<FormDetail>(at(place), signal),
    // What is being written is not to be taken away by a look from elsewhere.
    refetchOnWindowFocus: false,
  });

export const disputesQuery = queryOptions({
  queryKey: ["forms", "disputes"],
  queryFn: ({ signal }) => get<FormDisputes>(`${FORMS}/disputes`, signal),
});

/** What was written, by data element; null for nothing. */
export type Values = Record<string, number | string | boolean | null>;

export function save(place: Place, values: Values, version: number | null) {
  return change<FormDetail>("PUT", at(place), { values, version });
}

export function submit(place: Place, values: Values, version: number | null, reason: string | null) {
  return change<FormDetail>("POST", `${at(place)}/submit`, { values, version, reason });
}

export function giveBack(place: Place, reason: string) {
  return change<FormDetail>("POST", `${at(place)}/return`, { reason });
}

/** Disputes a value that the platform filled in. */
export function dispute(place: Place, element: string, value: Values[string], why: string) {
  return change<FormDetail>("POST", `${at(place)}/disputes`, { element, value, why });
}

export type DisputeStep = "accept" | "reject" | "withdraw";

/** What a town does with its dispute. */
export function settle(caseId: number, step: DisputeStep, note: string) {
  return change<FormDispute>("POST", `${FORMS}/disputes/${caseId}`, { step, note });
}
