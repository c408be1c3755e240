// Mời người: name, office, places. The person himself types nothing.

import { useState } from 'preact/hooks';
import { ApiError, post } from '../api';
import { t } from '../i18n';
import { Icon } from '../parts/icon';
import { failureText } from '../parts/notice';
import type { Camera, Invitation, Role } from '../types';

const ROLES: readonly Role[] = ['official', 'police', 'admin', 'technician', 'auditor', 'viewer'];

export function NewPersonForm({ cameras, made }: { cameras: Camera[]; made: (invitation: Invitation) => void }) {
  const [open, setOpen] = useState(false);
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('official');
  const [some, setSome] = useState<string[] | null>(null);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);

  const submit = async (event: Event) => {
    event.preventDefault();
    const called = name.trim().normalize('NFC');
    if (busy || called === '') return;
    setBusy(true);
    setFailed(null);
    try {
      made(await post<Invitation>('people', { name: called, role, cameras: some }));
    } catch (failure) {
      setFailed(failure instanceof ApiError && failure.status === 409 ? t('people.name_taken', { name: called }) : failureText(failure));
    } finally {
      setBusy(false);
    }
  };
  if (!open) return <button type="button" class="button primary" data-invite onClick={() => setOpen(true)}><Icon name="plus" />{t('people.invite')}</button>;
  const pick = (id: string) => setSome((now) => (now?.includes(id) ? now.filter((one) => one !== id) : [...(now ?? []), id]));
  return (
    <form class="card" onSubmit={(event) => void submit(event)}>
      <label class="field"><span>{t('people.name')}</span><input name="person" value={name} maxLength={64} autoComplete="off" onInput={(event) => setName(event.currentTarget.value)} /></label>
      <label class="field">
        <span>{t('people.role')}</span>
        <select name="role" value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
          {ROLES.map((one) => <option key={one} value={one}>{t(`role.${one}` as const)}</option>)}
        </select>
      </label>
      <fieldset class="places">
        <legend>{t('people.places')}</legend>
        <label><input type="checkbox" checked={some === null} onChange={() => setSome((now) => (now === null ? [] : null))} />{t('people.all_places')}</label>
        {some !== null && cameras.map((camera) => (
          <label key={camera.id}><input type="checkbox" checked={some.includes(camera.id)} onChange={() => pick(camera.id)} />{camera.name}</label>
        ))}
      </fieldset>
      {failed && <p class="message bad" role="alert"><Icon name="warn" />{failed}</p>}
      <div class="actions">
        <button type="submit" class="button primary" disabled={busy || name.trim() === '' || some?.length === 0}>{t('people.make')}</button>
        <button type="button" class="button" onClick={() => setOpen(false)}>{t('act.cancel')}</button>
      </div>
    </form>
  );
}
