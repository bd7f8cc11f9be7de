/** Reads a person's notices and how they are reached; for who administers it, rules, channels and what could not be sent. */
import { infiniteQueryOptions, queryOptions, useQuery } from "@tanstack/react-query";
import { change, get, query } from "../../lib/api.ts";
import type {
  NoticeMessages,
  NoticePreview,
  NoticeRules,
  Notifications,
  OwnContacts,
} from "../../lib/types.ts";

const NOTIFICATIONS = "/api/v1/notifications";
const CONTACTS = "/api/v1/account/contacts";
const RULES = "/api/v1/notice-rules";
const MESSAGES = "/api/v1/notice-messages";
/** Between two looks at what is new, milliseconds; the live stream tells sooner. */
const LOOK_MS = 60_000;

/** A rule as it is written: docs/notice.md. */
export interface WrittenRule {
  id: string;
  title_zh: string;
  title_en: string;
  enabled: boolean;
  on: string[];
  severity_min: string;
  entity_types: string[];
  alert_rules: string[];
  divisions: string[];
  levels: WrittenLevel[];
  quiet: { from?: string; until?: string; calendar?: string } | null;
  expire_minutes: number;
}

export interface WrittenLevel {
  to: Target[];
  channels: string[];
  channel_minutes: number;
  answer_minutes: number;
}

export type Target = { kind: string; id?: string | number };

export const notificationsQuery = (unread: boolean) =>
  infiniteQueryOptions({
    queryKey: ["notifications", "list", unread],
    queryFn: ({ pageParam, signal }) =>
      get<Notifications>(`${NOTIFICATIONS}${query({ unread: unread || null, after: pageParam })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });

/** How many notices the person took no note of; 0 while it is not known. */
export function useUnreadCount(): number {
  const unread = useQuery({
    queryKey: ["notifications", "unread"],
    queryFn: ({ signal }) => get<Notifications>(`${NOTIFICATIONS}${query({ limit: 1 })}`, signal),
    refetchInterval: LOOK_MS,
  });
  return unread.data?.unread ?? 0;
}

export function read(id: number): Promise<{ unread: number }> {
  return change("POST", `${NOTIFICATIONS}/${id}/read`);
}

export function readAll(upTo: number): Promise<{ unread: number }> {
  return change("POST", `${NOTIFICATIONS}/read`, { up_to: upTo });
}

export function acknowledge(token: string): Promise<{ is_new: boolean }> {
  return change("POST", `${NOTIFICATIONS}/acknowledge`, { token });
}

export const contactsQuery = queryOptions({
  queryKey: ["own-contacts"],
  queryFn: ({ signal }) => get<OwnContacts>(CONTACTS, signal),
});

export function setContact(kind: string, value: string): Promise<void> {
  return change("PUT", `${CONTACTS}/${kind}`, { value });
}

export function verifyContact(kind: string, code: string): Promise<void> {
  return change("POST", `${CONTACTS}/${kind}/verify`, { code });
}

export function removeContact(kind: string): Promise<void> {
  return change("DELETE", `${CONTACTS}/${kind}`);
}

export function setQuietHours(from: string | null, until: string | null): Promise<void> {
  return change("PUT", "/api/v1/account/quiet-hours", { from, until });
}

export const rulesQuery = queryOptions({
  queryKey: ["notice-rules"],
  queryFn: ({ signal }) => get<NoticeRules>(RULES, signal),
});

export function putRule(rule: WrittenRule): Promise<{ version: number }> {
  return change("PUT", `${RULES}/${encodeURIComponent(rule.id)}`, { rule });
}

export function removeRule(id: string): Promise<void> {
  return change("DELETE", `${RULES}/${encodeURIComponent(id)}`);
}

export function previewRule(rule: WrittenRule): Promise<NoticePreview> {
  return change("POST", `${RULES}/preview`, { rule });
}

export const messagesQuery = (state: string | null) =>
  infiniteQueryOptions({
    queryKey: ["notice-messages", state],
    queryFn: ({ pageParam, signal }) =>
      get<NoticeMessages>(`${MESSAGES}${query({ state, after: pageParam })}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: LOOK_MS,
  });

export function retryMessage(id: number): Promise<void> {
  return change("POST", `${MESSAGES}/${id}/retry`);
}
