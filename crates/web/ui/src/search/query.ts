// What is searched for, from what was chosen on the page. Pure.

import { HOUR, instant, toApi, type Day, type Ms } from '../time';
import type { SearchQuery } from '../types';

export const CLASSES = ['motorcycle', 'car', 'truck', 'bus', 'van', 'bicycle', 'dog', 'cow'] as const;
export const COLOURS = ['white', 'grey', 'black', 'red', 'brown', 'yellow', 'green', 'blue'] as const;
export const HEADINGS = ['left', 'right', 'near', 'away', 'still'] as const;

export interface Chosen {
  day: Day;
  /** `17:42`; empty: from the day's beginning, to its end. */
  from: string;
  to: string;
  /** Empty: all. */
  camera: string;
  classes: readonly string[];
  colours: readonly string[];
  headings: readonly string[];
  purpose: string;
}

export type Wrong = 'time' | 'order' | 'purpose';

export const PURPOSE_MIN = 3;

/** The first thing that keeps it from being asked. */
export function wrongWith(chosen: Chosen, zone: string): Wrong | null {
  const [from, to] = timeOf(chosen, zone);
  if (from === null || to === null) return 'time';
  if (to <= from) return 'order';
  return chosen.purpose.trim().length < PURPOSE_MIN ? 'purpose' : null;
}

function timeOf({ day, from, to }: Chosen, zone: string): [Ms | null, Ms | null] {
  const begin = instant(day, from === '' ? '00:00' : from, zone);
  const end = instant(day, to === '' ? '24:00' : to, zone);
  return [begin, end];
}

/** What is sent; null while something is wrong with it. */
export function queryOf(chosen: Chosen, zone: string, before: string | null): SearchQuery | null {
  const [from, to] = timeOf(chosen, zone);
  if (from === null || to === null || wrongWith(chosen, zone) !== null) return null;
  return {
    from: toApi(from), to: toApi(to), purpose: chosen.purpose.trim().normalize('NFC'), cameras: chosen.camera === '' ? [] : [chosen.camera],
    classes: [...chosen.classes], colours: [...chosen.colours], headings: [...chosen.headings], before,
  };
}

/** `16:42` an hour ago: where a search begins until somebody says otherwise; midnight where that was yesterday. */
export function hourAgo(now: Ms, clock: (at: Ms) => string, dayOf: (at: Ms) => Day): string {
  const then = now - HOUR;
  return dayOf(then) === dayOf(now) ? clock(then) : '00:00';
}

/** With or without one of a list. */
export function toggled(list: readonly string[], one: string): string[] {
  return list.includes(one) ? list.filter((other) => other !== one) : [...list, one];
}
