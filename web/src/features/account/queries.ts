/** Reads and changes the caller's own account. */
import { queryOptions } from "@tanstack/react-query";
import { change, get } from "../../lib/api.ts";
import { makePasskey } from "../../lib/passkey.ts";
import type { NewPasskey, NewTotp, OidcGrant, OutsideIdentity, OwnAccount } from "../../lib/types.ts";

const ACCOUNT = "/api/v1/account";
const GRANTS = "/api/v1/oidc/grants";

export const accountQuery = queryOptions({
  queryKey: ["account"],
  queryFn: ({ signal }) => get<OwnAccount>(ACCOUNT, signal),
});

export const grantsQuery = queryOptions({
  queryKey: ["own-grants"],
  queryFn: ({ signal }) => get<{ items: OidcGrant[] }>(GRANTS, signal),
});

/** Only where the city has an outside provider. */
export const identitiesQuery = queryOptions({
  queryKey: ["own-identities"],
  queryFn: ({ signal }) => get<{ items: OutsideIdentity[] }>(`${ACCOUNT}/identities`, signal),
});

/** Sends the browser to an outside provider to link who the person is there; it comes back to the account's page. */
export async function linkIdentity(provider: string): Promise<void> {
  const path = `${ACCOUNT}/identities`;
  const { redirect_to } = await change<{ redirect_to: string }>("POST", path, { provider });
  window.location.assign(redirect_to);
}

export function unlinkIdentity(id: number): Promise<void> {
  return change("DELETE", `${ACCOUNT}/identities/${id}`);
}

export function changePassword(old: string, next: string): Promise<void> {
  return change("POST", `${ACCOUNT}/password`, { old, new: next });
}

export function beginTotp(): Promise<NewTotp> {
  return change("POST", `${ACCOUNT}/totp`);
}

/** Gives recovery codes when there were none yet. */
export async function confirmTotp(code: string): Promise<string[]> {
  const body = { code };
  return (await change<{ recovery_codes: string[] }>("POST", `${ACCOUNT}/totp/confirm`, body)).recovery_codes;
}

export function removeTotp(): Promise<void> {
  return change("DELETE", `${ACCOUNT}/totp`);
}

export async function renewRecoveryCodes(): Promise<string[]> {
  return (await change<{ recovery_codes: string[] }>("POST", `${ACCOUNT}/recovery-codes`)).recovery_codes;
}

/** Has an authenticator make a passkey and registers it. */
export async function addPasskey(name: string): Promise<NewPasskey> {
  const { options } = await change<{ options: unknown }>("POST", `${ACCOUNT}/passkeys/question`);
  const made = await makePasskey(options);
  return change("POST", `${ACCOUNT}/passkeys`, { name, ...made });
}

export function removePasskey(id: number): Promise<void> {
  return change("DELETE", `${ACCOUNT}/passkeys/${id}`);
}

export function endSession(id: string): Promise<void> {
  return change("DELETE", `${ACCOUNT}/sessions/${encodeURIComponent(id)}`);
}

export function endOtherSessions(): Promise<void> {
  return change("DELETE", `${ACCOUNT}/sessions`);
}

export function endGrant(clientId: string): Promise<void> {
  return change("DELETE", `${GRANTS}/${encodeURIComponent(clientId)}`);
}
