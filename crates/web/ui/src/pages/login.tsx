// Đăng nhập: name, password, and a clear word when they are refused.

import { useRef, useState } from 'preact/hooks';
import { ApiError, expired, signIn } from '../api';
import { isKey, t } from '../i18n';
import { Icon } from '../parts/icon';
import { useSignal } from '../signal';
import { LangButton } from '../parts/lang-button';

function refusalText(error: unknown): string {
  if (!(error instanceof ApiError)) return t('err.network');
  if (error.status === 429 || error.status === 423) {
    return t('login.locked', { n: Math.max(1, Math.ceil((error.retryAfter ?? 300) / 60)) });
  }
  if (error.textKey && isKey(error.textKey)) return t(error.textKey);
  if (error.status === 401 || error.status === 403) return t('login.wrong');
  if (error.status === 400 || error.status === 422) return t('login.empty');
  return t('login.failed', { n: error.status });
}

export function LoginPage() {
  const wasExpired = useSignal(expired);
  const [error, setError] = useState<unknown>(null);
  const [empty, setEmpty] = useState(false);
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState(false);
  const name = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);

  const submit = async (event: Event) => {
    event.preventDefault();
    const n = (name.current?.value ?? '').trim().normalize('NFC');
    const p = password.current?.value ?? '';
    setError(null);
    setEmpty(n === '' || p === '');
    if (n === '' || p === '') {
      (n === '' ? name : password).current?.focus();
      return;
    }
    setBusy(true);
    try {
      await signIn(n, p);
    } catch (failure) {
      setError(failure);
      setBusy(false);
      password.current?.focus();
      password.current?.select();
    }
  };

  const wrong = empty ? t('login.empty') : error !== null ? refusalText(error) : wasExpired ? t('err.session') : null;
  return (
    <main id="main" class="login">
      <form class="card login-card" onSubmit={(event) => void submit(event)} noValidate>
        <img src="/icon.svg" alt="" width="72" height="72" class="login-mark" />
        <h1>{t('app.name')}</h1>
        <p class="hint">{t('app.tagline')}</p>
        {wrong && <p class={error === null && !empty ? 'message' : 'message bad'} id="login-error" role="alert"><Icon name="warn" />{wrong}</p>}
        <label class="field">
          <span>{t('login.name')}</span>
          <input ref={name} name="username" autoComplete="username" autoCapitalize="none" autoCorrect="off" spellcheck={false} aria-describedby={wrong ? 'login-error' : undefined} />
        </label>
        <label class="field">
          <span>{t('login.password')}</span>
          <input ref={password} name="password" {...(shown ? ({ type: 'text' } as const) : ({ type: 'password' } as const))} autoComplete="current-password" autoCapitalize="none" autoCorrect="off" spellcheck={false} aria-describedby={wrong ? 'login-error' : undefined} />
        </label>
        <button type="button" class="button plain" aria-pressed={shown} onClick={() => setShown(!shown)}>
          <Icon name="eye" />{t(shown ? 'login.hide' : 'login.show')}
        </button>
        <button type="submit" class="button primary wide" disabled={busy}>{t(busy ? 'login.busy' : 'login.submit')}</button>
      </form>
      <LangButton />
    </main>
  );
}
