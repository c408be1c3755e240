// Keeps a live picture close to the newest frame without stutter. Pure: time and buffer go in, a rate or a jump comes out.

export interface Span {
  start: number;
  end: number;
}

export interface EdgeInput {
  /** Seconds of any steady clock. */
  now: number;
  /** `video.currentTime`. */
  at: number;
  /** `video.buffered`, rising. */
  buffered: readonly Span[];
  /** The picture stands although it should move. */
  stalled: boolean;
}

export interface EdgeOutput {
  rate: number;
  /** Where to go at once, or null. */
  seek: number | null;
  /** Seconds from the picture to the newest frame; null while there is none. */
  delay: number | null;
}

/** Distance to the edge that is kept, in seconds: grows when the picture stalls, shrinks slowly while it does not. */
const TARGET = { least: 0.35, most: 0.9, grow: 0.15, shrinkPerSecond: 0.01 };
/** Farther than this behind: jump. */
const FAR = 2.5;
/** Just after joining, the frames since the last key frame come at once; so soon a jump disturbs nobody. */
const JOIN = { seconds: 1.5, far: 0.5 };
/** A stall at a hole in the buffer: step over it. */
const NUDGE = 0.02;
/** A stall that lasted longer than this, although frames keep coming: jump to the edge. */
const STUCK = 2;

export class EdgeController {
  private target = TARGET.least;
  private last: number | null = null;
  private wasStalled = false;
  private stalledSince = 0;
  private stalledEnd = 0;
  private joined: number | null = null;

  get targetDelay(): number {
    return this.target;
  }

  step(input: EdgeInput): EdgeOutput {
    const { now, at, buffered, stalled } = input;
    const passed = this.last === null ? 0 : Math.max(0, now - this.last);
    this.last = now;
    const newest = buffered[buffered.length - 1];
    if (!newest) return { rate: 1, seek: null, delay: null };
    if (this.joined === null) this.joined = now;
    const joining = now - this.joined < JOIN.seconds;

    if (stalled && !this.wasStalled) {
      // Waiting for the very first frames is no sign of a poor network.
      if (!joining) this.target = Math.min(TARGET.most, this.target + TARGET.grow);
      this.stalledSince = now;
      this.stalledEnd = newest.end;
    } else if (!stalled) {
      this.target = Math.max(TARGET.least, this.target - TARGET.shrinkPerSecond * passed);
    }
    this.wasStalled = stalled;

    const goal = Math.max(newest.start, newest.end - this.target);
    const delay = newest.end - at;
    const oldest = buffered[0] ?? newest;
    if (at < oldest.start - NUDGE || delay < -FAR) return { rate: 1, seek: goal, delay: null };
    if (delay > (joining ? this.target + JOIN.far : FAR)) return { rate: 1, seek: goal, delay };
    if (stalled) {
      const inside = buffered.some((span) => at >= span.start - NUDGE && at < span.end - NUDGE);
      const next = buffered.find((span) => span.start > at);
      if (!inside && next) return { rate: 1, seek: next.start + NUDGE / 2, delay };
      // Without new frames a jump would only show the last ones again.
      if (inside && now - this.stalledSince > STUCK && newest.end > this.stalledEnd + this.target) {
        this.stalledSince = now;
        this.stalledEnd = newest.end;
        return { rate: 1, seek: goal, delay };
      }
      return { rate: 1, seek: null, delay: Math.max(0, delay) };
    }
    return { rate: rateFor(delay - this.target), seek: null, delay: Math.max(0, delay) };
  }
}

/** Gentle enough not to be seen: at most 15 % faster, 5 % slower. */
function rateFor(excess: number): number {
  if (excess > 0.15) return Math.round(Math.min(1.15, 1.03 + (excess - 0.15) * 0.2) * 100) / 100;
  if (excess < -0.2) return 0.95;
  return 1;
}
