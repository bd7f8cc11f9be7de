/** Reads and changes devices. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { change, get, query } from "../../lib/api.ts";
import type {
  ApprovalAsked,
  Device,
  DeviceAskable,
  DeviceAsked,
  DeviceCredential,
  DeviceReply,
  DeviceSecretKind,
  Items,
  NewDevice,
  RotatedDevice,
} from "../../lib/types.ts";

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
  kind?: DeviceSecretKind;
}

export function addDevice(draft: DeviceDraft): Promise<NewDevice> {
  return change("POST", DEVICES, draft);
}

/** Nothing when it was done; what was asked for where a second person must agree. */
export function removeDevice(clientId: string, reason: string): Promise<ApprovalAsked | undefined> {
  return change("DELETE", `${DEVICES}/${encodeURIComponent(clientId)}${query({ reason })}`);
}

const of = (clientId: string) => `${DEVICES}/${encodeURIComponent(clientId)}`;

export const credentialsQuery = (clientId: string) =>
  queryOptions({
    queryKey: ["devices", "credentials", clientId],
    queryFn: ({ signal }) => get<{ items: DeviceCredential[] }>(`${of(clientId)}/credentials`, signal),
  });

export function rotateDevice(
  clientId: string,
  overlapHours: number,
  kind: DeviceSecretKind,
): Promise<RotatedDevice> {
  return change("POST", `${of(clientId)}/password`, { overlap_hours: overlapHours, kind });
}

export function addCertificate(clientId: string, certificate: string): Promise<DeviceCredential> {
  return change("POST", `${of(clientId)}/certificates`, { certificate });
}

export function removeCertificate(clientId: string, fingerprint: string): Promise<void> {
  return change("DELETE", `${of(clientId)}/certificates/${encodeURIComponent(fingerprint)}`);
}

export const questionsQuery = (clientId: string) =>
  queryOptions({
    queryKey: ["devices", "questions", clientId],
    queryFn: ({ signal }) => get<{ items: DeviceAskable[] }>(`${of(clientId)}/questions`, signal),
  });

export function askDevice(clientId: string, asked: DeviceAsked): Promise<DeviceReply> {
  return change("POST", `${of(clientId)}/questions`, asked);
}
