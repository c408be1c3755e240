// Cases on a timeline: where they begin and end, which one a tap means, which come before and after. Pure.

import { fromApi, type Ms } from '../time';
import type { Violation } from '../types';

export interface Mark {
  id: number;
  kind: string;
  state: string;
  at: Ms;
  to: Ms;
}

/** In the order of time; what lasts still ends with what is known of it. False alarms are told apart by their state. */
export function marksOf(violations: readonly Violation[]): Mark[] {
  const marks: Mark[] = [];
  for (const { id, kind, state, start, raised, end } of violations) {
    const at = fromApi(start) ?? fromApi(raised);
    if (at === null) continue;
    marks.push({ id, kind, state, at, to: Math.max(at, fromApi(end) ?? fromApi(raised) ?? at) });
  }
  return marks.sort((a, b) => a.at - b.at || a.id - b.id);
}

/** The mark whose beginning is nearest to a moment and within reach of it. */
export function markAt(marks: readonly Mark[], at: Ms, reach: Ms): Mark | null {
  let best: Mark | null = null;
  for (const mark of marks) {
    const far = Math.abs(mark.at - at);
    if (far <= reach && (best === null || far < Math.abs(best.at - at))) best = mark;
  }
  return best;
}

/** Going there lands a little beside it: what is that close counts as here. */
const HERE_MS = 2_000;

export interface Around {
  before: Mark | null;
  here: Mark | null;
  after: Mark | null;
}

/** The marks to go to from a moment, and the one it lies in. */
export function around(marks: readonly Mark[], at: Ms): Around {
  const found: Around = { before: null, here: null, after: null };
  for (const mark of marks) {
    if (mark.at > at + HERE_MS) {
      found.after = mark;
      break;
    }
    if (mark.at < at - HERE_MS) found.before = mark;
    if (at <= mark.to + HERE_MS) found.here = mark;
  }
  return found;
}
