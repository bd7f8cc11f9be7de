/** What the wall reads beside what other pages read: when its own session ends. */
import { queryOptions } from "@tanstack/react-query";
import { get } from "../../lib/api.ts";
import type { OwnAccount } from "../../lib/types.ts";

const AGAIN_MS = 5 * 60_000;

/** When this session ends however much it is used; null for who has none, such as a machine's token. */
export const sessionEndQuery = queryOptions({
  queryKey: ["wall", "session-end"],
  queryFn: async ({ signal }) => {
    const { sessions } = await get<OwnAccount>("/api/v1/account", signal);
    return sessions.find((session) => session.is_this)?.expires_at ?? null;
  },
  refetchInterval: AGAIN_MS,
});
