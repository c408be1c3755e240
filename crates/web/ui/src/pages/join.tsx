// Lời mời: the page a link of an invitation opens. One tap, and the phone is in; nothing to type.

import { useEffect, useState } from 'preact/hooks';
import { isKey, offerLang, t, useLang } from '../i18n';
import { Icon } from '../parts/icon';
import { LangButton } from '../parts/lang-button';
import { Link } from '../parts/link';
import { failureText, Loading } from '../parts/notice';
import { accept, look, refusedBecause, secretOf } from '../people/invitation';
import { go, paths } from '../router';
import type { InvitationFor } from '../types';
import { insideZalo } from '../zalo';

export function JoinPage() {
  useLang();
  const [secret] = useState(() => secretOf(window.location.hash));
  const [whom, setWhom] = useState<InvitationFor | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [round, setRound] = useState(0);

  useEffect(() => {
    if (secret === null) return;
    setError(null);
    look(secret).then((found) => {
      offerLang(found.site.language);
      setWhom(found);
    }, setError);
  }, [secret, round]);

  const open = async () => {
    if (busy || secret === null) return;
    setBusy(true);
    setError(null);
    try {
      await accept(secret);
      go(paths.live, 'replace');
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const refused = secret === null ? 'over' : refusedBecause(error);
  return (
    <main id="main" class="login">
      <div class="card login-card join">
        <img src="/icon.svg" alt="" width="72" height="72" class="login-mark" />
        <h1>{whom ? whom.site.name : t('app.name')}</h1>
        {refused ? (
          <>
            <p class="message bad" role="alert" data-refused={refused}><Icon name="warn" />{t(refused === 'used' ? 'join.used' : 'join.over')}</p>
            <Link to={paths.live} class="button wide">{t('join.home')}</Link>
          </>
        ) : error !== null && !whom ? (
          <>
            <p class="message bad" role="alert"><Icon name="warn" />{failureText(error)}</p>
            <button type="button" class="button wide" onClick={() => setRound((n) => n + 1)}>{t('act.retry')}</button>
          </>
        ) : !whom ? <Loading /> : (
          <Greeting whom={whom} busy={busy} error={error} open={() => void open()} />
        )}
      </div>
      <LangButton />
    </main>
  );
}

function Greeting({ whom, busy, error, open }: { whom: InvitationFor; busy: boolean; error: unknown; open: () => void }) {
  const roleKey = `role.${whom.role}`;
  const zalo = insideZalo(navigator.userAgent);
  return (
    <>
      <p class="hint">{t('join.for')}</p>
      <p><strong>{whom.name}</strong><br />{isKey(roleKey) ? t(roleKey) : whom.role}</p>
      {error !== null && <p class="message bad" role="alert"><Icon name="warn" />{failureText(error)}</p>}
      {zalo
        ? <p class="message" role="alert" data-zalo><Icon name="warn" />{t('join.zalo')}</p>
        : <button type="button" class="button primary wide" disabled={busy} onClick={open}>{t(busy ? 'login.busy' : 'join.open')}</button>}
      <p class="hint">{t('join.hint')}</p>
    </>
  );
}
