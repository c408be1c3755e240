// Disks: the folders of a ring, and what each disk says of itself. A disk that is not measured is said to be so.

import { isKey, num, t, tKey } from '../i18n';
import type { Ms } from '../time';
import type { Disk, Ring, RingPath } from '../types';
import { duration } from '../words';
import type { Tone } from './health';
import { Icon } from './icon';
import { Row, when } from './row';

function tone(state: string): Tone {
  if (state === 'ok') return 'good';
  return state === 'warning' || state === 'unmeasured' ? 'busy' : 'bad';
}

/** The folders of a ring that are not well, or all of them when there are several. */
export function Folders({ ring, zone, now }: { ring: Ring; zone: string; now: Ms }) {
  const paths = ring.paths ?? [];
  const told = paths.length > 1 ? paths : paths.filter((one) => one.state !== 'ok' || one.read_errors > 0);
  if (told.length === 0) return null;
  return <ul class="folders">{told.map((one) => <Folder key={one.path} path={one} zone={zone} now={now} />)}</ul>;
}

function Folder({ path, zone, now }: { path: RingPath; zone: string; now: Ms }) {
  const values = { disk: path.path, time: when(path.since, zone, now), detail: path.detail };
  return (
    <li data-path={path.path} data-state={path.state}>
      <span class={`state ${tone(path.state)}`}>{tKey(`disk.${path.state}.word`, 'disk.unknown.word')}</span> <code>{path.path}</code>
      {path.state !== 'ok' && <p class="todo">{tKey(`disk.${path.state}`, 'disk.unknown', values)}</p>}
      {path.read_errors > 0 && <p class="todo note"><Icon name="warn" /><span>{t('disk.read-errors', { disk: path.path, detail: num(path.read_errors) })}</span></p>}
      {path.detail !== '' && <p class="hint">{path.detail}</p>}
    </li>
  );
}

/** What is wrong with a disk, in the reader's language; what this page does not know stays as the server says it. */
export function whyOf(disk: Disk): string {
  const known = (disk.reasons ?? []).filter((why) => isKey(`smart.why.${why.key}`));
  if (known.length === 0) return disk.detail;
  return known.map((why) => tKey(`smart.why.${why.key}`, 'smart.unknown', { n: num(why.n) })).join('; ');
}

export function DiskCard({ disk, zone, now }: { disk: Disk; zone: string; now: Ms }) {
  const name = [disk.model, disk.serial].filter((s) => s !== '').join(' · ');
  const count = (value: number | null) => (value === null ? t('smart.untold') : num(value));
  return (
    <article class="card" data-disk={disk.device} data-state={disk.state}>
      <h3>{t('smart.title', { name: disk.device })}</h3>
      <p><span class={`state ${tone(disk.state)}`}>{tKey(`smart.${disk.state}.word`, 'smart.unknown.word')}</span></p>
      {disk.state !== 'ok' && <p class="todo">{tKey(`smart.${disk.state}`, 'smart.unknown', { disk: disk.device, detail: whyOf(disk) })}</p>}
      <dl>
        {name !== '' && <Row name={t('smart.model')} value={name} />}
        <Row name={t('smart.paths')} value={disk.paths.join(', ')} />
        {disk.state !== 'unmeasured' && (
          <>
            <Row name={t('smart.reallocated')} value={count(disk.reallocated)} />
            <Row name={t('smart.pending')} value={count(disk.pending)} />
            <Row name={t('smart.uncorrectable')} value={count(disk.uncorrectable)} />
            {disk.worn_percent !== null && <Row name={t('smart.worn')} value={`${num(disk.worn_percent)} %`} />}
            {disk.temperature !== null && <Row name={t('smart.temperature')} value={`${num(disk.temperature)} °C`} />}
            {disk.hours !== null && <Row name={t('smart.hours')} value={duration(disk.hours * 3600)} />}
            <Row name={t('smart.measured')} value={when(disk.measured, zone, now)} />
          </>
        )}
      </dl>
    </article>
  );
}
