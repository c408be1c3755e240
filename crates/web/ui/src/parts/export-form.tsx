// Trích xuất cho cơ quan chức năng: a signed package of a camera's time, asked for with purpose and officer, and the packages made.

import { useState } from 'preact/hooks';
import { post } from '../api';
import { t, type TextKey } from '../i18n';
import { clockSeconds, HOUR, instant, toApi, type Day, type Ms } from '../time';
import type { Export, ExportRequest, StreamName } from '../types';
import { Exports } from './exports';
import { Icon } from './icon';
import { failureText } from './notice';

const MOST_HOURS = 24;

/** A time to be chosen, or (of a case) one that is given. */
type Time = { day: Day; cursor: Ms } | { from: Ms; to: Ms; case: number };

type Props = { camera: string; stream: StreamName; zone: string } & Time;

export function ExportForm(props: Props) {
  const { camera, stream, zone } = props;
  const given = 'case' in props ? props : null;
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [words, setWords] = useState({ purpose: '', officer: '', authority: '', document: '' });
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const [round, setRound] = useState(0);

  const a = given ? given.from : 'day' in props ? instant(props.day, from, zone) : null;
  const b = given ? given.to : 'day' in props ? instant(props.day, to, zone) : null;
  const wrong: TextKey | null = !given && (from === '' || to === '') ? null
    : a === null || b === null ? 'clip.time'
    : b <= a ? 'clip.order'
    : b - a > MOST_HOURS * HOUR ? 'clip.long'
    : null;
  const ready = a !== null && b !== null && wrong === null && words.purpose.trim() !== '' && words.officer.trim() !== '';

  const ask = async (event: Event) => {
    event.preventDefault();
    if (!ready || busy || a === null || b === null) return;
    setBusy(true);
    setFailed(null);
    const said = Object.fromEntries(Object.entries(words).map(([name, text]) => [name, text.trim().normalize('NFC')])) as typeof words;
    const request: ExportRequest = { cameras: [camera], from: toApi(a), to: toApi(b), stream, ...said, case: given ? given.case : null };
    try {
      await post<Export>('exports', request);
    } catch (failure) {
      setFailed(failureText(failure));
    } finally {
      setBusy(false);
      setRound((n) => n + 1);
    }
  };
  const here = (set: (text: string) => void) => ('cursor' in props ? () => set(clockSeconds(props.cursor, zone)) : undefined);
  const field = (name: keyof typeof words, label: TextKey) => (
    <label class="field">
      <span>{t(label)}</span>
      <input name={`export-${name}`} maxLength={300} autoComplete="off" value={words[name]} onInput={(event) => setWords({ ...words, [name]: event.currentTarget.value })} />
    </label>
  );
  return (
    <details class="card export">
      <summary><Icon name="download" />{t('act.export')}</summary>
      <form onSubmit={(event) => void ask(event)} noValidate>
        <p class="hint">{t('export.hint')}</p>
        {!given && (
          <div class="clip-fields">
            <TimeField label={t('clip.from')} name="export-from" value={from} onChange={setFrom} here={here(setFrom)} />
            <TimeField label={t('clip.to')} name="export-to" value={to} onChange={setTo} here={here(setTo)} />
          </div>
        )}
        {field('purpose', 'export.purpose')}
        {field('officer', 'export.officer')}
        {field('authority', 'export.authority')}
        {field('document', 'export.legal')}
        {wrong && <p class="message bad" role="alert"><Icon name="warn" />{t(wrong, { n: MOST_HOURS })}</p>}
        {failed && <p class="message bad" role="alert"><Icon name="warn" />{failed}</p>}
        <button type="submit" class="button primary wide" disabled={!ready || busy}><Icon name="download" />{t('export.make')}</button>
      </form>
      <Exports round={round} zone={zone} />
    </details>
  );
}

function TimeField({ label, name, value, onChange, here }: { label: string; name: string; value: string; onChange: (text: string) => void; here?: (() => void) | undefined }) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input id={name} name={name} inputMode="numeric" autoComplete="off" placeholder="17:42:05" value={value} onInput={(event) => onChange(event.currentTarget.value)} />
      {here && <button type="button" class="button" onClick={here}>{t('clip.here')}</button>}
    </div>
  );
}
