/** Reads and changes devices. */
import { infiniteQueryOptions } from "@tanstack/react-query";
import { change, get, query } from "../../lib/api.ts";
import type { Device, Items, NewDevice } from "../../lib/types.ts";

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

export function removeDevice(clientId: string): Promise<void> {
  return change("DELETE", `${DEVICES}/${encodeURIComponent(clientId)}`);
}
