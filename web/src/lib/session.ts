/** Who is signed in, and what they may do. */
import { type QueryClient, queryOptions, useQuery } from "@tanstack/react-query";
import { ApiError, change, get } from "./api.ts";
import type { City, User } from "./types.ts";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }): Promise<User | null> => {
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

export async function signIn(queryClient: QueryClient, username: string, password: string): Promise<User> {
  const { user } = await change<{ user: User }>("POST", "/api/v1/session", { username, password });
  // Nothing that another person saw may stay behind.
  queryClient.clear();
  queryClient.setQueryData(sessionQuery.queryKey, user);
  return user;
}

export async function signOut(queryClient: QueryClient): Promise<void> {
  await change("DELETE", "/api/v1/session");
  queryClient.clear();
  queryClient.setQueryData(sessionQuery.queryKey, null);
}
