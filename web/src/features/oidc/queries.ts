/** Asks and answers for the pages on which other systems sign people in and out. */
import { queryOptions } from "@tanstack/react-query";
import { change, get, query } from "../../lib/api.ts";
import type { DeviceQuestion, LogoutQuestion, SignInQuestion } from "../../lib/types.ts";

const OIDC = "/api/v1/oidc";

interface Onward {
  redirect_to: string | null;
}

/** What the person is asked; `search` is the page's own, as the system's request was. */
export const signInQuery = (search: string) =>
  queryOptions({
    queryKey: ["oidc", "authorization", search],
    queryFn: ({ signal }) => get<SignInQuestion>(`${OIDC}/authorization${search}`, signal),
    staleTime: 0,
  });

/** Yes or no; gives where the browser goes. */
export async function answerSignIn(search: string, approve: boolean): Promise<string | null> {
  const answer = { query: search.slice(1), approve };
  return (await change<Onward>("POST", `${OIDC}/authorization`, answer)).redirect_to;
}

/** Where the browser goes when nobody is signed in and nobody may be asked. */
export async function refuseSilently(search: string): Promise<string | null> {
  return (await get<Onward>(`${OIDC}/refusal${search}`)).redirect_to;
}

export function askDevice(userCode: string): Promise<DeviceQuestion> {
  return get(`${OIDC}/device${query({ user_code: userCode })}`);
}

export function answerDevice(userCode: string, approve: boolean): Promise<void> {
  return change("POST", `${OIDC}/device`, { user_code: userCode, approve });
}

export const logoutQuery = (search: string) =>
  queryOptions({
    queryKey: ["oidc", "logout", search],
    queryFn: ({ signal }) => get<LogoutQuestion>(`${OIDC}/logout${search}`, signal),
    staleTime: 0,
  });

/** Signs out here; gives where the browser goes. */
export async function leave(search: string): Promise<string | null> {
  return (await change<Onward>("POST", `${OIDC}/logout`, { query: search.slice(1) })).redirect_to;
}
