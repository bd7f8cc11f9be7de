/** Reads the supervision of charging; says where the table of its subsidy is. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, query } from "../../lib/api.ts";
import type { ChargingSupervision } from "../../lib/types.ts";
import { ROOM } from "../charging/queries.ts";

const SUPERVISION = "/api/v1/charging/supervision";
/** History is asked through for it, so it is not asked often, milliseconds. */
const RENEW_MS = 300_000;

/** Which days, and by what is reckoned; what is not said is as the city sets it. */
export interface Asked {
  from: string;
  to: string;
  rate?: string;
  cap?: string;
  far_km?: string;
}

export const supervisionQuery = (asked: Asked) =>
  queryOptions({
    queryKey: [...ROOM, "supervision", asked],
    queryFn: ({ signal }) => get<ChargingSupervision>(`${SUPERVISION}${query({ ...asked })}`, signal),
    placeholderData: keepPreviousData,
    refetchInterval: RENEW_MS,
  });

/** Every session of the subsidy, one a row. */
export const subsidyPath = ({ from, to, rate, cap }: Asked) =>
  `${SUPERVISION}/subsidy.csv${query({ from, to, rate, cap })}`;
