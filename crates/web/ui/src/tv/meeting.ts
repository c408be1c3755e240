// "Hội họp": until when the TV shows a plain page. Pure. The end is kept by the TV and by the box's clock, so that a power cut ends no meeting.

export const STEP_MS = 15 * 60_000;
const MOST_MS = 12 * 3_600_000;

/** The first end that is offered: an hour from now, on a quarter. */
export function offered(now: number): number {
  return Math.ceil((now + 3_600_000) / STEP_MS) * STEP_MS;
}

/** One step later or earlier, never in the past nor beyond half a day. */
export function moved(end: number, steps: number, now: number): number {
  const next = end + steps * STEP_MS;
  if (next <= now) return end;
  return Math.min(next, Math.ceil((now + MOST_MS) / STEP_MS) * STEP_MS);
}

/** What was kept, if it is still to come; a clock that was wrong keeps no TV dark for days. */
export function going(kept: string | null, now: number): number | null {
  const end = Number(kept);
  return Number.isFinite(end) && end > now && end <= now + MOST_MS + STEP_MS ? end : null;
}
