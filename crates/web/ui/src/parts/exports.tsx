// The packages made so far: who asked for what, how far it is, and the package itself.

import { remove } from '../api';
import { t, tKey } from '../i18n';
import { usePoll } from '../poll';
import { download } from '../snapshot';
import { clock, clockSeconds, date, fromApi } from '../time';
import type { Export, Exports as Listed } from '../types';
import { bytes } from '../words';
import { Icon } from './icon';

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
      {one.trouble !== '' && <p class="hint">{one.trouble}</p>}
    </li>
  );
}
