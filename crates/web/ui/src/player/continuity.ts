// Lays the fragments of a live stream on one unbroken timeline, whatever their own times do. Pure.
// A camera that came back, a skipped GOP or a new connection makes decode times jump, forward or back to zero; the picture simply goes on.

import { inspectFragment } from './fmp4';

/** A jump larger than this, in seconds, is a new piece of timeline and not jitter. */
const JUMP = 1;

export interface Placed {
  /** `SourceBuffer.timestampOffset` for this fragment, in seconds. */
  offset: number;
  key: boolean;
}

export class Continuity {
  private scale = 90_000;
  private offset: number | null = null;
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
    } else {
      const start = own + this.offset;
      // Durations are assumptions and may overlap the next fragment; only its start tells whether time went back.
      if (start > this.end + JUMP || start <= this.start) this.offset = this.end - own;
    }
    this.start = own + this.offset;
    this.end = Math.max(this.end, own + this.offset + info.duration / this.scale);
    return { offset: this.offset, key: info.key };
  }
}
