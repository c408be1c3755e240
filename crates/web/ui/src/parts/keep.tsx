// Giữ đoạn hình này: footage around the moment, kept with two taps; the paper comes later.

import { useState } from 'preact/hooks';
import { post, serverNow } from '../api';
import { t } from '../i18n';
import { usePoll } from '../poll';
import { download } from '../snapshot';
import { clock, clockSeconds, date, fromApi, MINUTE, toApi, type Ms } from '../time';
import type { Kept, KeptList } from '../types';
import { bytes, duration } from '../words';
import { Icon } from './icon';
import { failureText } from './notice';

/** How much around the moment: most of it before, for people tap after they have understood. */
const CHOICES: readonly Ms[] = [10 * MINUTE, 30 * MINUTE, 120 * MINUTE];
const BEFORE = 0.75;
const EVERY_MS = 3000;
const SHOWN = 8;

/** `cursor`: the moment looked at. */
export function Keep({ camera, zone, cursor }: { camera: string; zone: string; cursor: Ms }) {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const [round, setRound] = useState(0);

  const keep = async (length: Ms) => {
    if (busy) return;
    setBusy(true);
    setFailed(null);
    const from = cursor - length * BEFORE;
    const to = Math.min(cursor + length * (1 - BEFORE), serverNow());
    try {
      await post<Kept>('kept', { cameras: [camera], from: toApi(from), to: toApi(to) });
      setOpen(false);
    } catch (failure) {
      setFailed(failureText(failure));
    } finally {
      setBusy(false);
      setRound((n) => n + 1);
    }
  };
  return (
    <section class="card keep">
      <button type="button" class="button wide" aria-expanded={open} onClick={() => setOpen(!open)}><Icon name="cases" />{t('act.hold')}</button>
      {open && (
        <>
          <p class="hint">{t('keep.hint', { time: clockSeconds(cursor, zone) })}</p>
          <div class="actions">
            {CHOICES.map((length) => <button key={length} type="button" class="button primary" disabled={busy} data-keep={length / MINUTE} onClick={() => void keep(length)}>{duration(length / 1000)}</button>)}
          </div>
        </>
      )}
      {failed && <p class="message bad" role="alert"><Icon name="warn" />{failed}</p>}
      <All camera={camera} zone={zone} round={round} />
    </section>
  );
}

/** What is kept of this camera. */
function All({ camera, zone, round }: { camera: string; zone: string; round: number }) {
  const { data, again } = usePoll<KeptList>('kept', EVERY_MS, round);
  const mine = (data?.kept ?? []).filter((one) => one.cameras.includes(camera)).slice(0, SHOWN);
  if (mine.length === 0) return null;
  const hold = (one: Kept) => void post<Kept>(`kept/${one.id}`, { hold: one.until !== null }).then(again, again);
  return (
    <ul class="exports">
      {mine.map((one) => {
        const [from, to] = [fromApi(one.from) ?? 0, fromApi(one.to) ?? 0];
        const until = one.until === null ? null : fromApi(one.until);
        return (
          <li key={one.id} data-kept={one.id} data-state={one.state}>
            <p><strong>{clock(from, zone)} – {clock(to, zone)}</strong> {date(from, zone)} · {one.by}</p>
            <p class="hint">{one.state === 'copying' ? t('keep.copying') : one.state === 'failed' ? t('keep.failed') : one.state === 'range-only' ? t('keep.range_only') : until === null ? t('case.held') : t('keep.until', { date: date(until, zone) })}</p>
            {one.state === 'done' && (
              <div class="actions">
                <button type="button" class="button" onClick={() => download(`/api/v1/kept/${one.id}/${camera}.mp4`, `${camera}_${one.id}.mp4`)}><Icon name="download" />{t('keep.take', { size: bytes(one.bytes) })}</button>
                <button type="button" class="button" onClick={() => hold(one)}>{t(one.until === null ? 'keep.let_go' : 'keep.hold')}</button>
              </div>
            )}
            {one.trouble !== '' && one.state !== 'range-only' && <p class="hint">{one.trouble}</p>}
          </li>
        );
      })}
    </ul>
  );
}
