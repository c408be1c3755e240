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

/**
 * Distance to the edge that is kept, in seconds, on average: half a picture's time is in it, the rest is spare for pictures that come late.
 * It grows when the picture stalls and shrinks while it does not, though not at once below what was too little.
 */
const TARGET = { least: 0.12, most: 0.9, grow: 0.1, shrinkPerSecond: 0.01 };
/** How much more than what was too little is enough, and how slowly that is forgotten. */
const LEARNT = { more: 0.05, forgetPerSecond: 0.0005 };
/** The distance jumps with each picture that comes: so much of a new look counts. */
const SMOOTH = 0.3;
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
  /** Below this the target does not shrink. */
  private floor = TARGET.least;
  private smooth: number | null = null;

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
      if (!joining) {
        this.floor = Math.min(TARGET.most, this.target + LEARNT.more);
        this.target = Math.min(TARGET.most, this.target + TARGET.grow);
      }
      this.stalledSince = now;
      this.stalledEnd = newest.end;
    } else if (!stalled) {
      this.floor = Math.max(TARGET.least, this.floor - LEARNT.forgetPerSecond * passed);
      this.target = Math.max(this.floor, this.target - TARGET.shrinkPerSecond * passed);
    }
    this.wasStalled = stalled;

    const goal = Math.max(newest.start, newest.end - this.target);
    const delay = newest.end - at;
    // After a jump of either it begins anew.
    const near = this.smooth !== null && Math.abs(delay - this.smooth) < JOIN.far;
    this.smooth = near && this.smooth !== null ? this.smooth + SMOOTH * (delay - this.smooth) : delay;
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
    return { rate: rateFor(this.smooth - this.target), seek: null, delay: Math.max(0, delay) };
  }
}

/** Gentle enough not to be seen: at most 15 % faster, 5 % slower, and not at all for what no eye sees. */
function rateFor(excess: number): number {
  if (excess > 0.03) return Math.round(Math.min(1.15, 1.02 + (excess - 0.03) * 0.3) * 100) / 100;
  if (excess < -0.03) return Math.round(Math.max(0.95, 0.98 + (excess + 0.03) * 0.3) * 100) / 100;
  return 1;
}
