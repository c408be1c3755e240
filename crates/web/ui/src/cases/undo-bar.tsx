// What was answered, by whom, and a few seconds to take it back.

import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { serverNow, session } from '../api';
import { t } from '../i18n';
import { Icon } from '../parts/icon';
import { clock, DEFAULT_ZONE, fromApi } from '../time';
import type { Case } from '../types';
import { undoSeconds } from './shape';
import { stateText } from './words';

const TICK_MS = 250;

interface Props {
  one: Case;
  busy: boolean;
  onUndo: () => void;
  /** The other answer, once this one cannot be taken back. */
  onChange: () => void;
  /** Who looks, and the place's time zone, where nobody is signed in. */
  as?: { name: string; zone: string };
  /** Where to go from here. */
  children: ComponentChildren;
}

export function UndoBar({ one, busy, onUndo, onChange, as, children }: Props) {
  // Only who answered may take it back; the server says so, too.
  const mine = one.answered_by === (as?.name ?? session.value?.name);
  const [left, setLeft] = useState(() => undoSeconds(one, serverNow()));
  useEffect(() => {
    const tick = () => setLeft(undoSeconds(one, serverNow()));
    tick();
    const timer = window.setInterval(tick, TICK_MS);
    return () => window.clearInterval(timer);
  }, [one]);
  const at = fromApi(one.answered);
  const zone = as?.zone ?? session.value?.site.timezone ?? DEFAULT_ZONE;
  return (
    <div class="undo-bar" role="status">
      <p><Icon name="ok" /><span><strong>{stateText(one.state)}</strong>{one.answered_by ? ` – ${one.answered_by}` : ''}{at === null ? '' : `, ${clock(at, zone)}`}</span></p>
      {/* Seconds are for the eye; read out, they would talk over everything. */}
      {mine && left > 0 && <button type="button" class="button" disabled={busy} aria-label={t('act.undo_plain')} onClick={onUndo}><Icon name="undo" /><span aria-hidden="true">{t('act.undo', { n: left })}</span></button>}
      {(!mine || left === 0) && <button type="button" class="button" disabled={busy} onClick={onChange}>{t('case.change', { answer: t(one.state === 'confirmed' ? 'act.false' : 'act.confirm') })}</button>}
      {children}
    </div>
  );
}
