// The box's time: TVs often have none of their own.

import { clock, DEFAULT_ZONE } from '../time';

let skew = 0;
let zone = DEFAULT_ZONE;

/** Takes the box's time from an answer. */
export function parseTime(text: string): void {
  const at = Date.parse(text);
  if (!isNaN(at)) skew = at - Date.now();
}

export function setZone(next: string): void {
  zone = next;
}

export function boxNow(): number {
  return Date.now() + skew;
}

export function clockText(at: number): string {
  return clock(at, zone);
}
