// Một vụ việc: what a link in a chat opens, in the chat's own browser. The case and its answers, and nothing else.

import { useEffect, useState } from 'preact/hooks';
import { ApiError } from '../api';
import { Still } from '../cases/evidence';
import { clipOf } from '../cases/shape';
import { UndoBar } from '../cases/undo-bar';
import { kindText, stateText, stateTone } from '../cases/words';
import { t, useLang } from '../i18n';
import { outside } from '../link/browser';
import { ask, linkOf, open, passOf, refusedBecause, type Pass } from '../link/pass';
import { useFile } from '../link/use-file';
import { Icon } from '../parts/icon';
import { LangButton } from '../parts/lang-button';
import { failureText, Loading } from '../parts/notice';
import { paths } from '../router';
import { clock, clockSeconds, date, fromApi } from '../time';
import type { Case } from '../types';
import { insideZalo } from '../zalo';

const EVERY_MS = 20_000;

export function OneCasePage() {
  useLang();
  const [link] = useState(() => linkOf(window.location.hash));
  const [pass, setPass] = useState<Pass | null>(() => {
    const known = link === null ? null : passOf(link);
    return known && known.case > 0 ? known : null;
  });
  const [one, setOne] = useState<Case | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);

  useEffect(() => {
    if (link === null) return;
    const stop = new AbortController();
    let timer = 0;
    const look = async () => {
      window.clearTimeout(timer);
      if (document.hidden) return;
      try {
        const mine = pass ?? (await open(link));
        if (pass === null) return setPass(mine);
        const answer = await ask<Case>(mine, 'GET', '', undefined, stop.signal);
        if (stop.signal.aborted) return;
        setOne(answer);
        setError(null);
      } catch (failure) {
        if (stop.signal.aborted) return;
        setError(failure);
        if (failure instanceof ApiError && failure.status < 500) return;
      }
      timer = window.setTimeout(() => void look(), EVERY_MS);
    };
    const onVisible = () => void look();
    document.addEventListener('visibilitychange', onVisible);
    void look();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [link, pass, round]);

  const refused = link === null ? 'over' : refusedBecause(error);
  return (
    <main id="main" class="one-case">
      {refused ? <p class="message bad" role="alert" data-refused={refused}><Icon name="warn" />{t(refused === 'used' ? 'one.used' : 'one.over')}</p>
        : pass && one ? <Card pass={pass} one={one} answered={setOne} />
          : error !== null ? (
            <>
              <p class="message bad" role="alert"><Icon name="warn" />{failureText(error)}</p>
              <button type="button" class="button wide" onClick={() => setRound((n) => n + 1)}>{t('act.retry')}</button>
            </>
          ) : <Loading />}
      <Outside id={one?.id ?? null} />
      <LangButton />
    </main>
  );
}

/** The way to everything else, which this browser cannot be let in to. */
function Outside({ id }: { id: number | null }) {
  const zalo = insideZalo(navigator.userAgent);
  const address = `${window.location.origin}${id === null ? paths.live : paths.case(id)}`;
  return (
    <aside class="card outside" data-outside>
      {zalo && <p class="hint">{t('zalo.inapp')}</p>}
      <a class="button wide" href={outside(navigator.userAgent, address)}>{t('one.open')}</a>
    </aside>
  );
}

type Said = 'confirm' | 'false-alarm' | 'undo';

function Card({ pass, one, answered }: { pass: Pass; one: Case; answered: (one: Case) => void }) {
  const lang = useLang();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const still = useFile(pass, 'still.jpg', one.still === 'small' || one.still === 'main' ? one.still : null);
  const say = async (what: Said) => {
    if (busy) return;
    setBusy(true);
    setFailed(null);
    try {
      answered(what === 'undo' ? await ask<Case>(pass, 'POST', '/undo') : await ask<Case>(pass, 'POST', '/answer', { answer: what }));
    } catch (failure) {
      setFailed(failure instanceof ApiError && failure.status === 409 ? t(what === 'undo' ? 'case.undo_late' : 'case.taken') : failureText(failure));
      // Somebody else was faster: show how it stands.
      await ask<Case>(pass, 'GET', '').then(answered, () => undefined);
    } finally {
      setBusy(false);
    }
  };
  const at = fromApi(one.raised) ?? 0;
  return (
    <section class="case" data-case={one.id} data-state={one.state}>
      <p class="site">{pass.site}</p>
      <div class="bar">
        <h1>{one.camera_name}</h1>
        <span class={`state ${stateTone(one.state)}`}>{stateText(one.state)}</span>
      </div>
      <p class="case-head"><strong>{kindText(one.kind)}</strong> · {clockSeconds(at, pass.zone)} · {date(at, pass.zone)} · {t('case.number', { n: one.id })}</p>
      <Still one={one} file={still} />
      {failed && <p class="message bad" role="alert"><Icon name="warn" />{failed}</p>}
      <div class="answers">
        {one.state === 'raised' ? (
          <>
            <button type="button" class="button primary answer" disabled={busy} onClick={() => void say('confirm')}><Icon name="ok" />{t('act.confirm')}</button>
            <button type="button" class="button answer" disabled={busy} onClick={() => void say('false-alarm')}><Icon name="wrong" />{t('act.false')}</button>
          </>
        ) : (
          <UndoBar one={one} busy={busy} as={{ name: pass.name, zone: pass.zone }} onUndo={() => void say('undo')} onChange={() => void say(one.state === 'confirmed' ? 'false-alarm' : 'confirm')}>{null}</UndoBar>
        )}
      </div>
      <div class="card why">
        <p class="why-sentence">{one.why[lang]}</p>
        {one.note !== '' && <p class="case-note"><strong>{t('case.note')}:</strong> {one.note}</p>}
        {one.kind !== 'by-hand' && <p class="hint">{t('word.reference')}</p>}
      </div>
      <Clip pass={pass} one={one} />
      <p class="hint">{t('one.for', { name: pass.name, time: clock(pass.until, pass.zone) })}</p>
    </section>
  );
}

/** Fetched only when asked for: it is most of what this page costs. */
function Clip({ pass, one }: { pass: Pass; one: Case }) {
  const [wanted, setWanted] = useState<string | null>(null);
  const version = clipOf(one);
  const { url, failed } = useFile(pass, 'clip.mp4', wanted);
  if (version === null) return null;
  if (wanted === null) return <button type="button" class="button wide" onClick={() => setWanted(version)}><Icon name="playback" />{t('one.clip')}</button>;
  if (failed) return <p class="message" role="status"><Icon name="warn" />{t('case.clip_failed')}</p>;
  return url === null ? <Loading /> : <video class="one-clip" src={url} controls autoPlay muted playsInline aria-label={t('case.clip')} />;
}
