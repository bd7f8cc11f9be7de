/** Reads and changes devices. */
import { infiniteQueryOptions } from "@tanstack/react-query";
import { change, get, query } from "../../lib/api.ts";
import type { ApprovalAsked, Device, Items, NewDevice } from "../../lib/types.ts";

const DEVICES = "/api/v1/devices";

export interface DeviceFilter {
  online?: boolean;
  q?: string;
}

export const devicesQuery = (filter: DeviceFilter) =>
  infiniteQueryOptions({
    queryKey: ["devices", filter],
    queryFn: ({ pageParam, signal }) =>
      get<Items<Device>>(`${DEVICES}${query({ ...filter, after: pageParam })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

export interface DeviceDraft {
  id: string;
  type: string;
  name?: string;
}

export function addDevice(draft: DeviceDraft): Promise<NewDevice> {
  return change("POST", DEVICES, draft);
}

/** Nothing when it was done; what was asked for where a second person must agree. */
export function removeDevice(clientId: string, reason: string): Promise<ApprovalAsked | undefined> {
  return change("DELETE", `${DEVICES}/${encodeURIComponent(clientId)}${query({ reason })}`);
}
