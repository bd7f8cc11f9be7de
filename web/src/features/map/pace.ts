/**
 * Keeps the map moving with the hand on a computer that draws it slowly (no graphics card): while it is dragged it
 * is drawn coarser, and sharp again when it rests. The first gesture shows whether the computer is slow. Pure; the map's clock and switch are handed in.
 */

/** A frame that takes longer than this on the average is felt as a jerk, milliseconds. */
const SLOW_FRAME_MS = 40;
/** Frames before the average is believed. */
const FRAMES_JUDGED = 4;
/** Weight of the newest frame in the average. */
const NEWEST = 0.25;
/** A gap as long as this is a pause of the hand, not a slow frame, milliseconds. */
const PAUSE_MS = 500;

export class Pace {
  #last: number | null = null;
  #averageMs = 0;
  #frames = 0;
  #slow = false;
  #coarse = false;

  /** `setCoarse` draws the map coarser, or as sharp as the screen is. */
  constructor(private readonly setCoarse: (coarse: boolean) => void) {}

  /** A hand takes the map. */
  beginning() {
    this.#last = null;
    if (this.#slow) this.#switch(true);
  }

  /** A frame was drawn while the map moved. */
  moving(now: number) {
    const tookMs = this.#last === null ? null : now - this.#last;
    this.#last = now;
    if (this.#slow || tookMs === null || tookMs > PAUSE_MS) return;
    this.#frames += 1;
    this.#averageMs = this.#frames === 1 ? tookMs : this.#averageMs + NEWEST * (tookMs - this.#averageMs);
    if (this.#frames >= FRAMES_JUDGED && this.#averageMs > SLOW_FRAME_MS) this.#slow = true;
  }

  /** The map came to rest. */
  resting() {
    this.#switch(false);
  }

  #switch(coarse: boolean) {
    if (this.#coarse === coarse) return;
    this.#coarse = coarse;
    this.setCoarse(coarse);
  }
}
