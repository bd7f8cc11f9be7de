/** The name of a request: the same while the same tap is sent again, another once the server has answered it for good. */
import { useCallback, useRef } from "react";
import { ApiError } from "../../lib/api.ts";
import { uuid } from "../../lib/uuid.ts";

/** Whether nobody knows what became of a request: it may have been carried out, and its answer lost. */
export const isOpen = (error: unknown): boolean => !(error instanceof ApiError) || error.passing;

/**
 * Sends with a key. What failed without an answer keeps it, so that a second tap cannot begin a second charge; what was
 * answered, done or refused, gives it up. `about` is what the request is of: another thing has another key.
 */
export function useKeyed(about: string): <T>(send: (key: string) => Promise<T>) => Promise<T> {
  const held = useRef<{ about: string; key: string } | null>(null);
  return useCallback(
    async (send) => {
      if (held.current?.about !== about) held.current = { about, key: uuid() };
      try {
        const answer = await send(held.current.key);
        held.current = null;
        return answer;
      } catch (error) {
        if (!isOpen(error)) held.current = null;
        throw error;
      }
    },
    [about],
  );
}
