/** Who is signed in, and what they may do. */
import { type QueryClient, queryOptions, useQuery } from "@tanstack/react-query";
import { ApiError, change, get } from "./api.ts";
import { forgetKept, forgetPerson, isSignOutOwed, oweSignOut, readKept, signOutSettled } from "./kept.ts";
import { makePasskey, showPasskey } from "./passkey.ts";
import type { City, NewTotp, SecondStep, SignInMethods, User } from "./types.ts";

const SESSION = "/api/v1/session";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }): Promise<User | null> => {
    // Who signed out without a network is out, also when the cookie is still good.
    if (!(await settleSignOut())) return null;
    try {
      return (await get<{ user: User }>("/api/v1/session", signal)).user;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: 5 * 60_000,
});

export const cityQuery = queryOptions({
  queryKey: ["city"],
  queryFn: ({ signal }) => get<City>("/api/v1/city", signal),
  staleTime: Number.POSITIVE_INFINITY,
});

/** The signed-in person; null before sign-in. */
export function useUser(): User | null {
  return useQuery(sessionQuery).data ?? null;
}

export function useCity(): City | undefined {
  return useQuery(cityQuery).data;
}

export function can(user: User | null, permission: string): boolean {
  return user?.permissions.includes(permission) ?? false;
}

/** Who is in now; nothing that another person saw may stay behind. */
function letIn(queryClient: QueryClient, user: User): User {
  queryClient.clear();
  queryClient.setQueryData(sessionQuery.queryKey, user);
  signOutSettled();
  void readKept().then((kept) => (kept && kept.user.id !== user.id ? forgetKept() : undefined));
  return user;
}

/** Ends the session of who signed out without a network; whether nothing of that is left to do. */
async function settleSignOut(): Promise<boolean> {
  if (!isSignOutOwed()) return true;
  try {
    await change("DELETE", SESSION);
  } catch (error) {
    // A session that has ended by itself is over too.
    if (!(error instanceof ApiError && error.status === 401)) return false;
  }
  signOutSettled();
  return true;
}

interface LetIn {
  user: User;
}

/** How people can sign in here. */
export const methodsQuery = queryOptions({
  queryKey: ["sign-in-methods"],
  queryFn: ({ signal }) => get<SignInMethods>(`${SESSION}/methods`, signal),
  staleTime: Number.POSITIVE_INFINITY,
});

/** Signs in with the password; gives the second step where there is one. */
export async function signIn(
  queryClient: QueryClient,
  username: string,
  password: string,
): Promise<User | SecondStep> {
  const answer = await change<LetIn | SecondStep>("POST", SESSION, { username, password });
  return "user" in answer ? letIn(queryClient, answer.user) : answer;
}

/** Sends the browser to an outside provider to sign in; it comes back to a page of ours. */
export async function signInOutside(provider: string, returnTo: string | undefined): Promise<void> {
  // Whoever comes back may be somebody else.
  await forgetKept();
  const body = { return_to: returnTo ?? null };
  const path = `${SESSION}/outside/${encodeURIComponent(provider)}`;
  const { redirect_to } = await change<{ redirect_to: string }>("POST", path, body);
  window.location.assign(redirect_to);
}

/** What a sign-in that began with an outside provider still needs. */
export function secondStep(): Promise<SecondStep> {
  return get<SecondStep>(`${SESSION}/second`);
}

/** The second step with a code. */
export async function signInWithCode(queryClient: QueryClient, code: string): Promise<User> {
  return letIn(queryClient, (await change<LetIn>("POST", `${SESSION}/second`, { code })).user);
}

/** Signs in with a passkey: alone, or as the second step. */
export async function signInWithPasskey(queryClient: QueryClient): Promise<User> {
  const { options } = await change<{ options: unknown }>("POST", `${SESSION}/passkey/question`);
  const answer = await showPasskey(options);
  return letIn(queryClient, (await change<LetIn>("POST", `${SESSION}/passkey`, answer)).user);
}

/** What a person is given who sets the first second factor up at sign-in; `enter` lets them in once the codes are kept. */
export interface Enrolled {
  recoveryCodes: string[];
  enter: () => User;
}

function enrolled(queryClient: QueryClient, answer: LetIn & { recovery_codes: string[] }): Enrolled {
  return { recoveryCodes: answer.recovery_codes, enter: () => letIn(queryClient, answer.user) };
}

/** A new secret for who must set a second factor up at sign-in. */
export function enrolTotp(): Promise<NewTotp> {
  return change("POST", `${SESSION}/enrol/totp`);
}

export async function enrolTotpConfirm(queryClient: QueryClient, code: string): Promise<Enrolled> {
  return enrolled(queryClient, await change("POST", `${SESSION}/enrol/totp/confirm`, { code }));
}

/** A first passkey for who must set a second factor up at sign-in. */
export async function enrolPasskey(queryClient: QueryClient, name: string): Promise<Enrolled> {
  const { options } = await change<{ options: unknown }>("POST", `${SESSION}/enrol/passkey/question`);
  const made = await makePasskey(options);
  return enrolled(queryClient, await change("POST", `${SESSION}/enrol/passkey`, { name, ...made }));
}

/** Ends the session to begin another: what the person keeps in this browser stays. */
export async function endSession(queryClient: QueryClient): Promise<void> {
  await change("DELETE", SESSION);
  queryClient.clear();
  queryClient.setQueryData(sessionQuery.queryKey, null);
}

/**
 * Leaves: nothing of the person stays in this browser, not even what was not sent. Without a network the session is ended
 * as soon as there is one.
 */
export async function signOut(queryClient: QueryClient): Promise<void> {
  const user = queryClient.getQueryData(sessionQuery.queryKey);
  try {
    await change("DELETE", SESSION);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.passing) oweSignOut();
    else if (error.status !== 401) throw error;
  }
  if (typeof user?.id === "number") await forgetPerson(user.id);
  queryClient.clear();
  queryClient.setQueryData(sessionQuery.queryKey, null);
}
