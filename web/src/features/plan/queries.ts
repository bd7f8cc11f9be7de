/** Reads the plan and its indicators; reports values. All keys begin with `plan`. */
import { queryOptions } from "@tanstack/react-query";
import { change, get } from "../../lib/api.ts";
import type { Indicator, IndicatorDetail, IndicatorReport, Plan } from "../../lib/types.ts";

const PLAN = "/api/v1/plan";
const one = (id: string) => `${PLAN}/indicators/${encodeURIComponent(id)}`;

export const planQuery = queryOptions({
  queryKey: ["plan", "all"],
  queryFn: ({ signal }) => get<Plan>(PLAN, signal),
});

export const indicatorQuery = (id: string) =>
  queryOptions({
    queryKey: ["plan", "indicator", id],
    queryFn: ({ signal }) => get<IndicatorDetail>(one(id), signal),
  });

export function report(id: string, entered: IndicatorReport): Promise<Indicator> {
  return change("POST", `${one(id)}/reports`, entered);
}
