/** Reads a recording page by page, and moves its player while it plays. */
import { useEffect, useRef, useState } from "react";
import { jump, player as made, type Player, tick } from "./player.ts";
import { readReplay, type Stretch } from "./queries.ts";
import { Recording } from "./recording.ts";

/** How often the player moves, milliseconds. */
const TICK_MS = 100;
/** Changes that are kept in memory; a longer stretch is played as far as they go. */
const CHANGES_KEPT_MAX = 1_000_000;

export interface Loaded {
  recording: Recording | null;
  player: Player | null;
  error: unknown;
  /** Milliseconds of the recording that can be played by now. */
  loaded: number;
  /** Whether there are more changes than are kept. */
  cut: boolean;
  change: (to: (player: Player) => Player) => void;
}

/** `stretch` null reads nothing; another one begins anew. */
export function useRecording(stretch: Stretch | null, attempt: number): Loaded {
  const [recording, setRecording] = useState<Recording | null>(null);
  const [player, setPlayer] = useState<Player | null>(null);
  const [loaded, setLoaded] = useState(0);
  const [cut, setCut] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const { from, until } = stretch ?? {};
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt reads the same stretch again.
  useEffect(() => {
    setRecording(null);
    setPlayer(null);
    setError(null);
    setCut(false);
    setLoaded(0);
    if (!from || !until) return;
    const gone = new AbortController();
    const read = async () => {
      const first = await readReplay({ from, until }, null, gone.signal);
      if (gone.signal.aborted) return;
      const kept = new Recording(first);
      setRecording(kept);
      setPlayer(made(kept.length));
      setLoaded(kept.loaded);
      let next = first.next;
      let count = first.changes.ids.length;
      while (next !== null) {
        if (count >= CHANGES_KEPT_MAX) {
          setCut(true);
          return;
        }
        const page = await readReplay({ from, until }, next, gone.signal);
        if (gone.signal.aborted) return;
        kept.append(page);
        setLoaded(kept.loaded);
        count += page.changes.ids.length;
        next = page.next;
      }
    };
    read().catch((problem: unknown) => {
      if (!gone.signal.aborted) setError(problem);
    });
    return () => gone.abort();
  }, [from, until, attempt]);
  const playing = player?.playing ?? false;
  const latest = useRef(recording);
  latest.current = recording;
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => {
      const now = performance.now();
      setPlayer((p) => p && tick(p, now, latest.current?.loaded ?? 0));
    }, TICK_MS);
    return () => clearInterval(timer);
  }, [playing]);
  const change = (to: (player: Player) => Player) =>
    // What is not loaded cannot be gone to yet.
    setPlayer((p) => {
      if (!p) return p;
      const next = to(p);
      return jump(next, Math.min(next.at, Math.max(p.at, latest.current?.loaded ?? 0)));
    });
  return { recording, player, error, loaded, cut, change };
}
