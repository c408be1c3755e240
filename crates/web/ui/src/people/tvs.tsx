// Ghép tivi: the code a TV shows is typed here; what the TV may show is chosen and said. And all TVs, each with the way to let it go.

import { useState } from 'preact/hooks';
import { ApiError, post, remove, serverNow } from '../api';
import { t } from '../i18n';
import { Icon } from '../parts/icon';
import { Failure, failureText, Loading } from '../parts/notice';
import { insideVillage } from './inside';
import { when } from '../parts/row';
import { usePoll } from '../poll';
import type { Tv, Tvs, WallMode } from '../types';

const EVERY_MS = 15_000;
const MODES: readonly WallMode[] = ['public', 'duty'];

export function TvCards({ zone }: { zone: string }) {
  const { data, error, again } = usePoll<Tvs>('tvs', EVERY_MS);
  return (
    <>
      <h2>{t('tvs.title')}</h2>
      <PairForm paired={again} />
      <div class="card">
        {!data && (error ? <Failure error={error} again={again} /> : <Loading />)}
        {data && data.tvs.length === 0 && <p class="hint">{t('tvs.none')}</p>}
        {data && data.tvs.length > 0 && <ul class="exports">{data.tvs.map((tv) => <TvRow key={tv.id} tv={tv} zone={zone} again={again} />)}</ul>}
      </div>
    </>
  );
}

function modeName(mode: WallMode): string {
  return mode === 'duty' ? t('tvs.duty') : t('tvs.public');
}

function PairForm({ paired }: { paired: () => void }) {
  const [code, setCode] = useState('');
  const [name, setName] = useState('');
  // Whoever wants more than public chooses it.
  const [mode, setMode] = useState<WallMode>('public');
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const [done, setDone] = useState<string | null>(null);
  const digits = code.replace(/\D/g, '');
  const ready = digits.length === 6 && name.trim() !== '';

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy || !ready) return;
    setBusy(true);
    setFailed(null);
    setDone(null);
    try {
      const tv = await post<Tv>('tvs', { code: digits, name: name.trim().normalize('NFC'), mode });
      setDone(tv.name);
      setCode('');
      setName('');
      setMode('public');
      paired();
    } catch (failure) {
      const status = failure instanceof ApiError ? failure.status : 0;
      setFailed(status === 404 ? t('tvs.wrong', { code: digits }) : status === 429 ? t('tvs.locked') : failureText(failure));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="card" data-pair onSubmit={(event) => void submit(event)}>
      <p class="hint">{insideVillage(window.location.hostname) ? t('tvs.hint', { address: `${window.location.host}/tv` }) : t('tvs.hint_inside')}</p>
      <label class="field"><span>{t('tvs.code')}</span><input name="code" inputMode="numeric" autoComplete="off" maxLength={8} value={code} onInput={(event) => setCode(event.currentTarget.value)} /></label>
      <label class="field"><span>{t('tvs.name')}</span><input name="tv" autoComplete="off" maxLength={40} value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>
      <fieldset class="places">
        <legend>{t('tvs.mode')}</legend>
        {MODES.map((one) => (
          <label key={one}>
            <input type="radio" name="mode" value={one} checked={mode === one} onChange={() => setMode(one)} />
            <span><strong>{modeName(one)}</strong>. {one === 'duty' ? t('tvs.duty_hint') : t('tvs.public_hint')}</span>
          </label>
        ))}
      </fieldset>
      {failed && <p class="message bad" role="alert"><Icon name="warn" />{failed}</p>}
      {done && <p class="message" role="status">{t('tvs.paired', { name: done })}</p>}
      <div class="actions"><button type="submit" class="button primary" disabled={busy || !ready}>{t('tvs.pair')}</button></div>
    </form>
  );
}

function TvRow({ tv, zone, again }: { tv: Tv; zone: string; again: () => void }) {
  const [asked, setAsked] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const release = async () => {
    setFailed(null);
    setAsked(false);
    try {
      await remove(`tvs/${tv.id}`);
    } catch (failure) {
      setFailed(failureText(failure));
    }
    again();
  };
  return (
    <li data-tv={tv.id}>
      <p><strong>{tv.name}</strong></p>
      <p class="hint">{t('tvs.by', { mode: modeName(tv.mode), by: tv.by })}. {t('people.seen', { time: when(tv.seen, zone, serverNow()) })}</p>
      {failed && <p class="message bad" role="alert"><Icon name="warn" />{failed}</p>}
      {asked ? (
        <div class="actions">
          <button type="button" class="button" data-sure onClick={() => void release()}>{t('tvs.release_sure')}</button>
          <button type="button" class="button primary" onClick={() => setAsked(false)}>{t('act.keep_it')}</button>
        </div>
      ) : <button type="button" class="button" onClick={() => setAsked(true)}>{t('tvs.release')}</button>}
    </li>
  );
}
