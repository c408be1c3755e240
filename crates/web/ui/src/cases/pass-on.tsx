// Nhờ người khác xem: a link that shows one person this case, also inside Zalo.

import { useState } from 'preact/hooks';
import { get, post, serverNow, session } from '../api';
import { isKey, t } from '../i18n';
import { GivenLink } from '../parts/given-link';
import { Icon } from '../parts/icon';
import { failureText, Loading } from '../parts/notice';
import { when } from '../parts/row';
import type { CanBeAsked, CaseLink } from '../types';

export function PassOn({ id, zone }: { id: number; zone: string }) {
  const [people, setPeople] = useState<CanBeAsked['people'] | null>(null);
  const [opened, setOpened] = useState(false);
  const [whom, setWhom] = useState<number | null>(null);
  const [made, setMade] = useState<CaseLink | null>(null);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);

  const look = async () => {
    setOpened(true);
    setFailed(null);
    try {
      const found = (await get<CanBeAsked>(`cases/${id}/links`)).people;
      // Others first: oneself only to go on in another browser.
      found.sort((a, b) => Number(a.name === session.value?.name) - Number(b.name === session.value?.name));
      setPeople(found);
      setWhom(found[0]?.id ?? null);
    } catch (failure) {
      setFailed(failureText(failure));
    }
  };
  const make = async (event: Event) => {
    event.preventDefault();
    if (busy || whom === null) return;
    setBusy(true);
    setFailed(null);
    try {
      setMade(await post<CaseLink>(`cases/${id}/links`, { person: whom }));
    } catch (failure) {
      setFailed(failureText(failure));
    } finally {
      setBusy(false);
    }
  };
  if (!opened) return <button type="button" class="button" data-pass-on onClick={() => void look()}><Icon name="forward" />{t('pass.title')}</button>;
  const role = (word: string) => (isKey(`role.${word}`) ? t(`role.${word}` as never) : word);
  return (
    <section class="card pass-on">
      <h2>{t('pass.title')}</h2>
      <p class="hint">{t('pass.hint')}</p>
      {failed && <p class="message bad" role="alert"><Icon name="warn" />{failed}</p>}
      {made ? <Made made={made} id={id} zone={zone} /> : people === null ? !failed && <Loading /> : people.length === 0 ? <p>{t('pass.nobody')}</p> : (
        <form onSubmit={(event) => void make(event)}>
          <label class="field">
            <span>{t('pass.whom')}</span>
            <select name="whom" value={whom ?? ''} onChange={(event) => setWhom(Number(event.currentTarget.value))}>
              {people.map((one) => <option key={one.id} value={one.id}>{one.name} – {one.name === session.value?.name ? t('pass.me') : role(one.role)}</option>)}
            </select>
          </label>
          <div class="actions"><button type="submit" class="button primary" disabled={busy}>{t('pass.make')}</button></div>
        </form>
      )}
    </section>
  );
}

function Made({ made, id, zone }: { made: CaseLink; id: number; zone: string }) {
  return (
    <>
      <p>{t('pass.good', { name: made.name, time: when(made.expires, zone, serverNow()) })}</p>
      <GivenLink link={made.link} send={t('pass.send')} text={t('pass.text', { name: made.name, n: id })} />
    </>
  );
}
