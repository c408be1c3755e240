// Wall time ↔ time in a clip. A clip holds what was recorded in its range with the gaps cut out, never stretched. Pure.

import type { Ms } from '../time';

export interface Span {
  from: Ms;
  to: Ms;
}

/** Sorted, overlaps and neighbours joined, empty ones dropped. */
export function normalise(spans: readonly Span[], join: Ms = 0): Span[] {
  const sorted = spans.filter((s) => s.to > s.from).slice().sort((a, b) => a.from - b.from);
  const out: Span[] = [];
  for (const span of sorted) {
    const last = out[out.length - 1];
    if (last && span.from <= last.to + join) last.to = Math.max(last.to, span.to);
    else out.push({ ...span });
  }
  return out;
}

/** The parts of `spans` (normalised) inside `[from, to)`. */
export function within(spans: readonly Span[], from: Ms, to: Ms): Span[] {
  const out: Span[] = [];
  for (const span of spans) {
    const a = Math.max(span.from, from);
    const b = Math.min(span.to, to);
    if (b > a) out.push({ from: a, to: b });
  }
  return out;
}

export function total(spans: readonly Span[]): Ms {
  return spans.reduce((sum, span) => sum + (span.to - span.from), 0);
}

export function covered(spans: readonly Span[], at: Ms): boolean {
  return spans.some((span) => at >= span.from && at < span.to);
}

/** First recorded instant at or after `at`, or null. */
export function firstFrom(spans: readonly Span[], at: Ms): Ms | null {
  for (const span of spans) if (at < span.to) return Math.max(at, span.from);
  return null;
}

/** The recorded instant nearest to `at`, or null when nothing is recorded. */
export function nearest(spans: readonly Span[], at: Ms): Ms | null {
  let best: Ms | null = null;
  for (const span of spans) {
    const here = Math.min(Math.max(at, span.from), span.to - 1);
    if (best === null || Math.abs(here - at) < Math.abs(best - at)) best = here;
  }
  return best;
}

/** Where to begin when `at` is wished: the recording at or after it, else the last `lead` of what there is, so that something is seen. */
export function landing(spans: readonly Span[], at: Ms, lead: Ms): Ms | null {
  const later = firstFrom(spans, at);
  const last = spans[spans.length - 1];
  if (!last) return null;
  // At the very end of what was written there is nothing to play, either.
  const latest = Math.max(last.from, last.to - lead);
  return later === null ? latest : Math.min(later, latest);
}

/** One loaded clip: which recorded parts it holds, in order. */
export class ClipMap {
  readonly parts: readonly Span[];

  constructor(parts: readonly Span[]) {
    this.parts = normalise(parts);
  }

  get length(): Ms {
    return total(this.parts);
  }

  /** Wall time of the picture at `clip` milliseconds into the clip; the ends when outside. */
  wall(clip: Ms): Ms | null {
    let left = Math.max(0, clip);
    let end: Ms | null = null;
    for (const part of this.parts) {
      const length = part.to - part.from;
      if (left < length) return part.from + left;
      left -= length;
      end = part.to;
    }
    return end;
  }

  /** Milliseconds into the clip of a wall time; inside a gap, where the recording goes on. Null after the end or before nothing. */
  clip(wall: Ms): Ms | null {
    let passed = 0;
    for (const part of this.parts) {
      if (wall < part.from) return passed;
      if (wall < part.to) return passed + (wall - part.from);
      passed += part.to - part.from;
    }
    return null;
  }
}

/** The window of `size` that holds `at`, aligned so that going back and forth asks for the same clip again. */
export function windowOf(at: Ms, size: Ms, origin: Ms): Span {
  const from = origin + Math.floor((at - origin) / size) * size;
  return { from, to: from + size };
}
