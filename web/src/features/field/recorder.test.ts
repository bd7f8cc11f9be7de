/** A voice note has a type that the server takes, and what stands in its way has a name. */
import { describe, expect, it } from "vitest";
import { recordableType, recordingName, troubleOf } from "./recorder.ts";

describe("recorder", () => {
  it("takes the first type that the browser can record", () => {
    expect(recordableType((type) => type.startsWith("audio/webm"))).toBe("audio/webm;codecs=opus");
    expect(recordableType((type) => type === "audio/mp4")).toBe("audio/mp4");
    expect(recordableType(() => false)).toBeUndefined();
    expect(recordableType(undefined)).toBeUndefined();
  });

  it("names a note by when it was begun", () => {
    const begun = "2026-11-27T03:04:05.678Z";
    expect(recordingName("audio/webm;codecs=opus", begun)).toBe("voice-2026-11-27T030405.webm");
    expect(recordingName("audio/mp4", begun)).toBe("voice-2026-11-27T030405.m4a");
  });

  it("tells a refused microphone from one that is not there", () => {
    expect(troubleOf(new DOMException("no", "NotAllowedError"))).toBe("denied");
    expect(troubleOf(new DOMException("none", "NotFoundError"))).toBe("absent");
    expect(troubleOf(new Error("x"))).toBe("absent");
  });
});
