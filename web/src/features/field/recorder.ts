/** Records a voice note with the phone's microphone; what stands in the way is told, and text is always possible. */
import { useCallback, useEffect, useRef, useState } from "react";

/** What browsers record, best first: Opus needs a quarter of AAC. */
const TYPES = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
const ENDINGS: Record<string, string> = { webm: "webm", ogg: "ogg", mp4: "m4a" };
/** Enough for speech, bits a second. */
const BITS_PER_SECOND = 32_000;
/** How often the recorder hands over what it has, milliseconds. */
const SLICE_MS = 1_000;

export type RecorderState = "idle" | "asking" | "recording";
/** Why there is no voice note: no recorder in this browser or no microphone, not allowed, nothing heard, too large. */
export type RecorderTrouble = "absent" | "denied" | "empty" | "large";

export interface Recording {
  blob: Blob;
  name: string;
  startedAt: string;
  durationMs: number;
}

/** The first type that this browser can record; undefined when it can record none. */
export function recordableType(isSupported: ((type: string) => boolean) | undefined): string | undefined {
  return isSupported && TYPES.find((type) => isSupported(type));
}

/** A name for a note of that type, by when it was begun. */
export function recordingName(type: string, startedAt: string): string {
  const kind = /^audio\/(\w+)/.exec(type)?.[1] ?? "";
  return `voice-${startedAt.slice(0, 19).replaceAll(":", "")}.${ENDINGS[kind] ?? "bin"}`;
}

/** What the browser says of a microphone that it does not give. */
export function troubleOf(error: unknown): RecorderTrouble {
  const name = error instanceof DOMException ? error.name : "";
  return name === "NotAllowedError" || name === "SecurityError" ? "denied" : "absent";
}

export function useRecorder(secondsMax: number, bytesMax: number, onDone: (made: Recording) => void) {
  const [state, setState] = useState<RecorderState>("idle");
  const [trouble, setTrouble] = useState<RecorderTrouble | null>(null);
  const [startedMs, setStartedMs] = useState(0);
  const recorder = useRef<MediaRecorder | null>(null);
  const gone = useRef(false);
  const latest = useRef(onDone);
  latest.current = onDone;

  const stop = useCallback(() => {
    if (recorder.current?.state === "recording") recorder.current.stop();
  }, []);

  useEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
      stop();
    };
  }, [stop]);

  // What is longer than is taken is ended, and kept.
  useEffect(() => {
    if (state !== "recording") return;
    const timer = setTimeout(stop, secondsMax * 1_000);
    return () => clearTimeout(timer);
  }, [state, secondsMax, stop]);

  const start = async () => {
    const type = recordableType(globalThis.MediaRecorder?.isTypeSupported?.bind(MediaRecorder));
    if (!type || !navigator.mediaDevices) return setTrouble("absent");
    setTrouble(null);
    setState("asking");
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (error) {
      setState("idle");
      return setTrouble(troubleOf(error));
    }
    const release = () => {
      for (const track of stream.getTracks()) track.stop();
    };
    if (gone.current) return release();
    const made = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: BITS_PER_SECOND });
    const parts: Blob[] = [];
    const startedAt = Date.now();
    made.ondataavailable = ({ data }) => parts.push(data);
    made.onstop = () => {
      release();
      recorder.current = null;
      const durationMs = Date.now() - startedAt;
      const begun = new Date(startedAt).toISOString();
      const blob = new Blob(parts, { type: type.split(";")[0] });
      if (!gone.current) {
        setState("idle");
        if (blob.size === 0) return setTrouble("empty");
        if (blob.size > bytesMax) return setTrouble("large");
      }
      // A page that is left in the middle keeps what was said.
      if (blob.size > 0 && blob.size <= bytesMax)
        latest.current({ blob, name: recordingName(type, begun), startedAt: begun, durationMs });
    };
    recorder.current = made;
    setStartedMs(startedAt);
    setState("recording");
    made.start(SLICE_MS);
  };

  return { state, trouble, startedMs, start, stop };
}
