// Lays the fragments of a live stream on one unbroken timeline, whatever their own times do. Pure.
// A camera that came back, a skipped GOP or a new connection makes decode times jump, forward or back to zero; the picture simply goes on.

import { inspectFragment } from './fmp4';

/** A jump larger than this, in seconds, is a new piece of timeline and not jitter. */
const JUMP = 1;
/** Sound so much later than the newest picture, in seconds, is of another connection. */
const AHEAD = 5;

export interface Placed {
  /** `SourceBuffer.timestampOffset` for this fragment, in seconds. */
  offset: number;
  key: boolean;
}

export class Continuity {
  private scale = 90_000;
  private offset: number | null = null;
  /** Own time from which the offset holds. */
  private from = 0;
  private start = 0;
  private end = 0;

  /** Ticks a second, from the init segment. */
  setScale(scale: number): void {
    this.scale = scale;
  }

  /** Begins the timeline anew at zero. */
  reset(): void {
    this.offset = null;
    this.start = 0;
    this.end = 0;
  }

  /** Null when the bytes are no fragment. */
  place(bytes: Uint8Array): Placed | null {
    const info = inspectFragment(bytes);
    if (!info) return null;
    const own = info.dts / this.scale;
    if (this.offset === null) {
      this.offset = -own;
      this.from = own;
    } else {
      const start = own + this.offset;
      // Durations are assumptions and may overlap the next fragment; only its start tells whether time went back.
      if (start > this.end + JUMP || start <= this.start) {
        this.offset = this.end - own;
        this.from = own;
      }
    }
    this.start = own + this.offset;
    this.end = Math.max(this.end, own + this.offset + info.duration / this.scale);
    return { offset: this.offset, key: info.key };
  }

  /** The offset of sound whose own time, in seconds, is on the picture's line; null where no picture of this piece of timeline is near. */
  beside(own: number): number | null {
    if (this.offset === null || own < this.from || own > this.start - this.offset + AHEAD) return null;
    return this.offset;
  }
}
