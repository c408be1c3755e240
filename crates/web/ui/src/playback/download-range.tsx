// Tải đoạn hình: from–to of the day, in the stream recorded best, as a file.

import { useState } from 'preact/hooks';
import { clipPath } from '../api';
import { t, type TextKey } from '../i18n';
import { Icon } from '../parts/icon';
import { download } from '../snapshot';
import { clockSeconds, dayOf, HOUR, instant, type Day, type Ms } from '../time';
import type { Camera } from '../types';
import { bytes, duration } from '../words';
import { total, within } from './spans';
import type { DaySpans } from './use-spans';

const MOST_HOURS = 6;

interface Props {
  camera: Camera;
  spans: DaySpans;
  day: Day;
  zone: string;
  cursor: Ms;
}

export function DownloadRange({ camera, spans, day, zone, cursor }: Props) {
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [started, setStarted] = useState(false);
  const stream = spans.main.length > 0 ? 'main' : 'sub';
  const a = instant(day, from, zone);
  const b = instant(day, to, zone);
  const recorded = a !== null && b !== null ? within(spans[stream], a, b) : [];
  const wrong: TextKey | null = from === '' || to === '' ? null
    : a === null || b === null ? 'clip.time'
    : b <= a ? 'clip.order'
    : b - a > MOST_HOURS * HOUR ? 'clip.long'
    : recorded.length === 0 ? 'clip.none'
    : null;
  const ready = a !== null && b !== null && wrong === null;
  const seconds = total(recorded) / 1000;
  const size = (seconds * (camera.streams[stream]?.bitrate ?? 0)) / 8;

  const edit = (set: (value: string) => void) => (value: string) => {
    setStarted(false);
    set(value);
  };
  const fetchIt = (event: Event) => {
    event.preventDefault();
    if (!ready || a === null || b === null) return;
    download(clipPath(camera.id, a, b, stream, true), `${camera.id}_${dayOf(a, zone)}_${clockSeconds(a, zone).replace(/:/g, '-')}.mp4`);
    setStarted(true);
  };
  return (
    <form class="card clip" onSubmit={fetchIt} noValidate>
      <h2>{t('clip.title')}</h2>
      <div class="clip-fields">
        <TimeField label={t('clip.from')} value={from} name="clip-from" onChange={edit(setFrom)} here={() => edit(setFrom)(clockSeconds(cursor, zone))} />
        <TimeField label={t('clip.to')} value={to} name="clip-to" onChange={edit(setTo)} here={() => edit(setTo)(clockSeconds(cursor, zone))} />
      </div>
      {wrong && <p class="message bad" role="alert"><Icon name="warn" />{t(wrong, { n: MOST_HOURS })}</p>}
      {ready && <p class="hint">{started ? t('clip.started') : t('clip.size', { dur: duration(seconds), size: bytes(size) })}</p>}
      <button type="submit" class="button primary wide" disabled={!ready}><Icon name="download" />{t('clip.download')}</button>
    </form>
  );
}

interface FieldProps {
  label: string;
  name: string;
  value: string;
  onChange: (value: string) => void;
  here: () => void;
}

function TimeField({ label, name, value, onChange, here }: FieldProps) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input id={name} name={name} inputMode="numeric" autoComplete="off" placeholder="17:42:05" value={value} onInput={(event) => onChange(event.currentTarget.value)} />
      <button type="button" class="button" onClick={here}>{t('clip.here')}</button>
    </div>
  );
}
