/** Reads and changes the systems that people sign in to with their account here. */
import { queryOptions } from "@tanstack/react-query";
import { change, get } from "../../lib/api.ts";
import type { NewOidcClient, OidcClient, OidcClientChange, OidcClientDraft } from "../../lib/types.ts";

const CLIENTS = "/api/v1/oidc/clients";

export const clientsQuery = queryOptions({
  queryKey: ["oidc-clients"],
  queryFn: ({ signal }) => get<{ items: OidcClient[] }>(CLIENTS, signal),
});

const named = (id: string) => `${CLIENTS}/${encodeURIComponent(id)}`;

/** Registers a system; its secret is in the answer and nowhere else. */
export const addClient = (draft: OidcClientDraft) => change<NewOidcClient>("POST", CLIENTS, draft);

export const changeClient = (id: string, to: OidcClientChange) => change<OidcClient>("PATCH", named(id), to);

/** Makes a new secret; the old one is wrong from then on. */
export const rotateSecret = (id: string) => change<NewOidcClient>("POST", `${named(id)}/secret`);

export const removeClient = (id: string) => change<void>("DELETE", named(id));
