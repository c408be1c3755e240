// Instants: microseconds since the epoch as whole numbers, from the manifest's text. How they are shown does not belong here.

const MICROS = BigInt(1_000_000);
const I64_MAX = BigInt('9223372036854775807');

const SECONDS = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const RFC3339 =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?(?:[Zz]|([+-])([0-9]{2})(?::?([0-9]{2}))?)$/;

/** RFC 3339 with an offset, or seconds since the epoch with an optional fraction; null when it is neither. */
export function micros(text: string): bigint | null {
  if (SECONDS.test(text)) {
    const seconds = Number(text);
    if (Math.abs(seconds) < 1e11) return BigInt(Math.sign(seconds) * Math.round(Math.abs(seconds) * 1e6));
  }
  const found = RFC3339.exec(text);
  if (!found) return null;
  const part = (n: number) => Number(found[n] || '0');
  const [year, month, day, hour, minute] = [part(1), part(2), part(3), part(4), part(5)];
  // A second that a day has more is the one before it.
  const second = Math.min(part(6), 59);
  if (part(6) > 60 || hour > 23 || minute > 59 || part(9) > 25 || part(10) > 59) return null;
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  if (at.getUTCFullYear() !== year || at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day) return null;
  const offset = (found[8] === '-' ? -1 : 1) * (part(9) * 3600 + part(10) * 60);
  const seconds = at.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset;
  const fraction = (found[7] || '').padEnd(6, '0').slice(0, 6);
  return BigInt(seconds) * MICROS + BigInt(fraction);
}

/** An instant and so many ticks of 90 kHz behind it; stops at the end of the range. */
export function plusTicks(at: bigint, ticks: number): bigint {
  const end = at + BigInt(Math.floor((ticks * 100) / 9));
  return end > I64_MAX ? I64_MAX : end;
}
