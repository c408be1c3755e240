// The packages made so far: who asked for what, how far it is, the package itself, and its end.

import { useState } from 'preact/hooks';
import { remove } from '../api';
import { t, tKey } from '../i18n';
import { usePoll } from '../poll';
import { mayDelete } from '../roles';
import { download } from '../snapshot';
import { clock, clockSeconds, date, fromApi } from '../time';
import type { Export, Exports as Listed } from '../types';
import { bytes } from '../words';
import { Icon } from './icon';
import { failureText } from './notice';

const EVERY_MS = 3000;
const SHOWN = 8;

export function Exports({ round, zone }: { round: number; zone: string }) {
  const { data, again } = usePoll<Listed>('exports', EVERY_MS, round);
  if (!data || data.exports.length === 0) return null;
  return (
    <ul class="exports">
      {data.exports.slice(0, SHOWN).map((one) => <Row key={one.id} one={one} zone={zone} again={again} />)}
    </ul>
  );
}

function Row({ one, zone, again }: { one: Export; zone: string; again: () => void }) {
  const at = fromApi(one.asked) ?? 0;
  const from = fromApi(one.request.from) ?? 0;
  const to = fromApi(one.request.to) ?? 0;
  return (
    <li data-export={one.id} data-state={one.state}>
      <p><strong>{one.by}</strong> · {clock(at, zone)} {date(at, zone)} · {tKey(`export.${one.state}`, 'export.failed')}</p>
      <p class="hint">{(one.request.cameras ?? []).join(', ')} · {clockSeconds(from, zone)} – {clockSeconds(to, zone)} {date(from, zone)} · {one.request.purpose} · {one.request.officer}</p>
      {one.state === 'running' && (
        <div class="row">
          <progress max={Math.max(1, one.total)} value={one.done} aria-label={t('export.running')} />
          <button type="button" class="button" onClick={() => void remove(`exports/${one.id}`).finally(again)}>{t('act.cancel')}</button>
        </div>
      )}
      {one.state === 'done' && one.here !== false && <button type="button" class="button" onClick={() => download(`/api/v1/exports/${one.id}.zip`, `matthon-${one.id}.zip`)}><Icon name="download" />{t('export.take', { size: bytes(one.bytes) })}</button>}
      {one.state === 'done' && one.here !== false && mayDelete(one.by) && <Delete id={one.id} again={again} />}
      {one.trouble !== '' && <p class="hint">{one.trouble}</p>}
    </li>
  );
}

/** Two steps, for it does not come back: the ring may have been written over meanwhile. */
function Delete({ id, again }: { id: string; again: () => void }) {
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const go = async () => {
    if (busy) return;
    setBusy(true);
    setFailed(null);
    try {
      await remove(`exports/${id}`);
    } catch (failure) {
      setFailed(failureText(failure));
    } finally {
      setBusy(false);
      setAsked(false);
      again();
    }
  };
  return (
    <>
      {!asked && <button type="button" class="button" data-delete={id} onClick={() => setAsked(true)}>{t('export.delete')}</button>}
      {asked && (
        <div class="actions" role="group" aria-label={t('export.delete')}>
          <p class="message" role="alert"><Icon name="warn" />{t('export.delete_sure')}</p>
          <button type="button" class="button" disabled={busy} onClick={() => void go()}>{t('export.delete')}</button>
          <button type="button" class="button primary" disabled={busy} onClick={() => setAsked(false)}>{t('act.keep_it')}</button>
        </div>
      )}
      {failed && <p class="message bad" role="alert"><Icon name="warn" />{failed}</p>}
    </>
  );
}
