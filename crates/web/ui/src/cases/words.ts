// A case in words: its kind, its state, the numbers behind it, what has happened to it.

import { isKey, num, t, tKey } from '../i18n';
import type { Tone } from '../parts/health';
import type { Case, CaseEntry } from '../types';
import { duration } from '../words';

export function kindText(kind: string): string {
  return tKey(`kind.${kind}`, 'kind.unknown');
}

export function stateText(state: string): string {
  return tKey(`case.${state}`, 'case.unknown');
}

/** What waits for a person stands out; a false alarm is nothing bad. */
export function stateTone(state: string): Tone | 'plain' {
  if (state === 'raised') return 'busy';
  return state === 'confirmed' ? 'good' : 'plain';
}

/** `ô tô`; a class without words keeps its own. */
export function classText(name: string): string {
  const key = `class.${name}`;
  return isKey(key) ? t(key) : name;
}

/** A line of the history: what the box noticed, or what a person did. */
export function entryText({ what, by, note }: Pick<CaseEntry, 'what' | 'by' | 'note'>): string {
  if (what === 'raised' && by) return t('history.by-hand');
  const ended = `history.ended.${note}`;
  if (what === 'ended' && isKey(ended)) return t(ended);
  return tKey(`history.${what}`, 'history.unknown', { what });
}

/** A number with its unit, which is the end of its key. */
export function valueText(key: string, value: number): string {
  if (key.endsWith('_s')) return duration(value);
  if (key.endsWith('_deg')) return `${num(value)}°`;
  if (key === 'travel') return t('unit.picture', { n: num(value * 100) });
  if (key === 'drift') return t('unit.itself', { n: num(value * 100) });
  return num(value, Number.isInteger(value) ? 0 : 2);
}

/** The measured numbers as rows, those with words first and in the order of the texts. */
export function measuredRows(measured: Case['measured']): { name: string; value: string }[] {
  const known = ['dwell_s', 'limit_s', 'seen_s', 'drift', 'angle_deg', 'travel', 'seconds_s'];
  const rank = (key: string) => (known.includes(key) ? known.indexOf(key) : known.length);
  return Object.keys(measured)
    .filter((key) => Number.isFinite(measured[key]))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map((key) => {
      const text = `measured.${key}`;
      return { name: isKey(text) ? t(text) : key, value: valueText(key, measured[key] ?? 0) };
    });
}
