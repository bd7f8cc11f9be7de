/** What a page keeps in its address, so that a view can be sent to somebody and comes back with the page. */
import { useSearchParams } from "react-router";

export type AddressChanges = Record<string, string | null | undefined>;

/** The address's parameters, and how to change some of them: what is empty is taken out. No step back is made of it. */
export function useAddress() {
  const [parameters, setParameters] = useSearchParams();
  const set = (changes: AddressChanges) =>
    setParameters(
      (before) => {
        const next = new URLSearchParams(before);
        for (const [name, value] of Object.entries(changes)) {
          if (value) next.set(name, value);
          else next.delete(name);
        }
        return next;
      },
      { replace: true },
    );
  return [parameters, set] as const;
}
