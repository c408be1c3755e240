// Numbers in words the page uses in several places: durations, sizes, rates.

import { num, t } from './i18n';

/** `0,4 giây`, `12 giây`, `5 phút`, `3 giờ`. */
export function duration(seconds: number): string {
  const s = Math.abs(seconds);
  if (s < 9.95) return t('unit.second', { n: num(s, 1) });
  if (s < 90) return t('unit.second', { n: num(s) });
  if (s < 90 * 60) return t('unit.minute', { n: num(s / 60) });
  if (s < 48 * 3600) return t('unit.hour', { n: num(s / 3600, s < 10 * 3600 ? 1 : 0) });
  return t('unit.day', { n: num(s / 86_400, s < 10 * 86_400 ? 1 : 0) });
}

export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = n;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${num(value, unit > 1 && value < 99.5 ? 1 : 0)} ${units[unit]}`;
}

/** Bits a second. */
export function rate(bits: number): string {
  return bits >= 999_500 ? `${num(bits / 1e6, 1)} Mbit/s` : `${num(bits / 1e3)} kbit/s`;
}
