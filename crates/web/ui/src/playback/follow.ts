// How a second picture keeps to the first one's time. Pure.

import type { Ms } from '../time';

export interface Lead {
  wall: Ms;
  playing: boolean;
  speed: number;
}

export type Move =
  | { do: 'nothing' }
  /** There is no picture of this moment. */
  | { do: 'wait' }
  /** Too far away to catch up. */
  | { do: 'seek'; to: Ms }
  /** A little faster or slower, until they are together. */
  | { do: 'rate'; rate: number };

/** Apart by more than this while playing, it jumps; real time. */
const FAR: Ms = 700;
/** Apart by less, they are together: two pictures of 15 a second. */
const NEAR: Ms = 80;
/** Standing pictures are put side by side exactly: half a picture. */
const STANDING: Ms = 34;
/** It catches up within this, as far as it may change its speed. */
const WITHIN: Ms = 2000;
const MOST = 0.15;

/** `mine`: the wall time of the second picture; null: it shows none. `recorded`: whether it has one of that moment. */
export function follow(lead: Lead, mine: Ms | null, recorded: boolean): Move {
  if (!recorded) return { do: 'wait' };
  if (mine === null) return { do: 'seek', to: lead.wall };
  const behind = lead.wall - mine;
  if (!lead.playing) return Math.abs(behind) > STANDING ? { do: 'seek', to: lead.wall } : { do: 'nothing' };
  // What is far in the recording is near on the screen when it plays fast.
  const apart = Math.abs(behind) / lead.speed;
  if (apart > FAR) return { do: 'seek', to: lead.wall };
  if (apart <= NEAR) return { do: 'rate', rate: lead.speed };
  const nudge = Math.max(-MOST, Math.min(MOST, behind / lead.speed / WITHIN));
  return { do: 'rate', rate: lead.speed * (1 + nudge) };
}
