// Geometry of a timeline: pixels ↔ wall time, and the marks that fit. Pure.

import { HOUR, MINUTE, type Ms } from '../time';

export interface Scale {
  from: Ms;
  to: Ms;
  /** Pixels for the whole of it. */
  width: number;
}

export function xOf(scale: Scale, at: Ms): number {
  return ((at - scale.from) / (scale.to - scale.from)) * scale.width;
}

export function timeAt(scale: Scale, x: number): Ms {
  return scale.from + (x / scale.width) * (scale.to - scale.from);
}

const STEPS: readonly Ms[] = [10_000, 30_000, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR];

/** Marks at round times, at least `room` pixels apart; `origin` is the day's midnight, so that 3-hour marks fall on 0, 3, 6… of the site's day. */
export function marks(scale: Scale, room: number, origin: Ms): { step: Ms; at: Ms[] } {
  const perPixel = (scale.to - scale.from) / Math.max(1, scale.width);
  const step = STEPS.find((s) => s / perPixel >= room) ?? 24 * HOUR;
  const at: Ms[] = [];
  for (let t = origin + Math.ceil((scale.from - origin) / step) * step; t <= scale.to; t += step) at.push(t);
  return { step, at };
}

/** Widths of the detailed strip, from a broad look to seconds. */
export const ZOOMS: readonly Ms[] = [6 * HOUR, 2 * HOUR, 30 * MINUTE, 10 * MINUTE, 3 * MINUTE];
