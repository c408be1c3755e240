// A line of a card, and a time as such a line says it.

import { t } from '../i18n';
import { clock, clockSeconds, date, dayOf, fromApi, type Ms } from '../time';

/** `17:42`, with the date when it is not today. */
export function when(value: unknown, zone: string, now: Ms): string {
  const at = fromApi(value);
  if (at === null || at <= 0) return t('dev.never');
  return dayOf(at, zone) === dayOf(now, zone) ? clockSeconds(at, zone) : `${clock(at, zone)} ${date(at, zone)}`;
}

export function Row({ name, value }: { name: string; value: string }) {
  return <div><dt>{name}</dt><dd>{value}</dd></div>;
}
