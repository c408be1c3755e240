// Times as people in the village read them: always the site's timezone, `17:42`, `23/11/2026`. Pure.
// Inside the page an instant is milliseconds since the epoch (`Ms`).

export type Ms = number;
/** A day of the site's calendar, `2026-11-23`. */
export type Day = string;

export const MINUTE: Ms = 60_000;
export const HOUR: Ms = 3_600_000;

export const DEFAULT_ZONE = 'Asia/Ho_Chi_Minh';

interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const options: Intl.DateTimeFormatOptions = {
    year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false,
  };
  let made: Intl.DateTimeFormat;
  try {
    made = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone });
  } catch {
    made = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: DEFAULT_ZONE });
  }
  formats.set(zone, made);
  return made;
}

function parts(at: Ms, zone: string): Parts {
  const found: { [type: string]: number } = {};
  for (const part of formatOf(zone).formatToParts(at)) found[part.type] = Number(part.value);
  const get = (type: string) => found[type] ?? 0;
  // Some engines write midnight as 24 when hour12 is off.
  return { year: get('year'), month: get('month'), day: get('day'), hour: get('hour') % 24, minute: get('minute'), second: get('second') };
}

const two = (n: number) => String(n).padStart(2, '0');

export function clock(at: Ms, zone: string): string {
  const p = parts(at, zone);
  return `${two(p.hour)}:${two(p.minute)}`;
}

export function clockSeconds(at: Ms, zone: string): string {
  const p = parts(at, zone);
  return `${two(p.hour)}:${two(p.minute)}:${two(p.second)}`;
}

export function date(at: Ms, zone: string): string {
  const p = parts(at, zone);
  return `${two(p.day)}/${two(p.month)}/${p.year}`;
}

export function dayOf(at: Ms, zone: string): Day {
  const p = parts(at, zone);
  return `${p.year}-${two(p.month)}-${two(p.day)}`;
}

/** `23/11/2026` of a day. */
export function dayText(day: Day): string {
  const [y, m, d] = day.split('-');
  return `${d}/${m}/${y}`;
}

/** Milliseconds the zone is ahead of UTC at an instant. */
function offset(at: Ms, zone: string): Ms {
  const p = parts(at, zone);
  return Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) - Math.floor(at / 1000) * 1000;
}

/** The instant of a wall-clock time of a day, `17:42` or `17:42:05`; null when it cannot be read. */
export function instant(day: Day, time: string, zone: string): Ms | null {
  const d = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  const t = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(time.trim());
  if (!d || !t) return null;
  const [hour, minute, second] = [Number(t[1]), Number(t[2]), Number(t[3] ?? 0)];
  if (hour > 24 || minute > 59 || second > 59) return null;
  const guess = Date.UTC(Number(d[1]), Number(d[2]) - 1, Number(d[3]), hour, minute, second);
  if (Number.isNaN(guess)) return null;
  // Twice, because the offset at the guess may differ from the offset at the answer (summer time elsewhere).
  const once = guess - offset(guess, zone);
  return guess - offset(once, zone);
}

/** First instant of a day and of the next one. */
export function dayBounds(day: Day, zone: string): [Ms, Ms] {
  const from = instant(day, '00:00', zone) ?? 0;
  // 26 h later is tomorrow however the clocks are changed.
  return [from, instant(dayOf(from + 26 * HOUR, zone), '00:00', zone) ?? from + 24 * HOUR];
}

export function shiftDay(day: Day, by: number, zone: string): Day {
  const noon = instant(day, '12:00', zone) ?? 0;
  return dayOf(noon + by * 24 * HOUR, zone);
}

/**
 * An instant as the API writes it: RFC 3339 text, or a whole number of microseconds since the epoch
 * (the core's own `WallTime`). Null when it is neither.
 */
export function fromApi(value: unknown): Ms | null {
  if (typeof value === 'number' && Number.isFinite(value)) return value / 1000;
  if (typeof value !== 'string') return null;
  // Engines differ beyond milliseconds.
  const at = Date.parse(value.replace(/(\.\d{3})\d+/, '$1'));
  return Number.isNaN(at) ? null : at;
}

/** An instant for a query of the API: RFC 3339 in UTC. */
export function toApi(at: Ms): string {
  return new Date(at).toISOString();
}
