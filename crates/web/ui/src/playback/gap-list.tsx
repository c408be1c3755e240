// What is missing of a day, in words: from when to when, and why.

import { t, tKey } from '../i18n';
import { clock, clockSeconds, MINUTE, type Ms } from '../time';
import { duration } from '../words';
import type { Gap } from './use-spans';

/** Shorter ones are a camera's hiccup: on the strip they can be seen, in a list they would bury the others. */
const LEAST: Ms = 5000;
const SHOWN = 12;

export function GapList({ gaps, zone }: { gaps: readonly Gap[]; zone: string }) {
  const told = gaps.filter((gap) => gap.to - gap.from >= LEAST);
  if (told.length === 0) return null;
  // The longest are what somebody asks about; shown in the order of the day.
  const longest = told.slice().sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, SHOWN).sort((a, b) => a.from - b.from);
  return (
    <details class="card gaps" open={told.length <= 3}>
      <summary>{t('gap.title', { n: told.length })}</summary>
      <ul>
        {longest.map((gap) => (
          <li key={gap.from} data-reason={gap.reason}>
            <span class="gap-time">{when(gap.from, gap, zone)} – {when(gap.to, gap, zone)}</span> <span>{duration((gap.to - gap.from) / 1000)}</span> <strong>{tKey(`gap.${gap.reason}`, 'gap.unknown')}</strong>
          </li>
        ))}
      </ul>
    </details>
  );
}

function when(at: Ms, gap: Gap, zone: string): string {
  return gap.to - gap.from < 10 * MINUTE ? clockSeconds(at, zone) : clock(at, zone);
}
