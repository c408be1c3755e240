// Lập vụ việc: somebody sees something live and keeps it, with or without a word about it.

import { useEffect, useRef, useState } from 'preact/hooks';
import { post } from '../api';
import { t } from '../i18n';
import { Icon } from '../parts/icon';
import { failureText } from '../parts/notice';
import { go, paths } from '../router';
import type { Case } from '../types';

/** As the server takes it. */
const NOTE_MAX = 500;

export function MakeCase({ camera, onClose }: { camera: string; onClose: () => void }) {
  const [note, setNote] = useState('');
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const box = useRef<HTMLFormElement>(null);
  useEffect(() => box.current?.scrollIntoView({ block: 'nearest' }), []);

  const make = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setFailed(null);
    try {
      const made = await post<Case>('cases', { camera, note: note.replace(/\s+/g, ' ').trim().normalize('NFC') });
      go(paths.case(made.id));
    } catch (failure) {
      setFailed(failureText(failure));
      setBusy(false);
    }
  };
  const key = (event: KeyboardEvent) => {
    // The page's own keys (arrows, Escape) would leave the camera.
    event.stopPropagation();
    if (event.key === 'Escape') onClose();
  };
  return (
    <form ref={box} class="card make-case" onSubmit={(event) => void make(event)} onKeyDown={key} noValidate>
      <h2>{t('make.title')}</h2>
      <p class="hint">{t('make.hint')}</p>
      <label class="field">
        <span>{t('make.note')}</span>
        <textarea name="note" rows={2} maxLength={NOTE_MAX} value={note} placeholder={t('make.example')} onInput={(event) => setNote(event.currentTarget.value)} />
      </label>
      {failed && <p class="message bad" role="alert"><Icon name="warn" />{failed}</p>}
      <div class="actions">
        <button type="submit" class="button primary" disabled={busy}><Icon name="cases" />{t(busy ? 'make.busy' : 'make.submit')}</button>
        <button type="button" class="button" onClick={onClose}>{t('act.cancel')}</button>
      </div>
    </form>
  );
}
