// One case: what was seen, why, and the two big keys a person answers with.

import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { ApiError, get, noteServerTime, post, session } from '../api';
import { Clip, Still } from '../cases/evidence';
import { todo, touch, useChanges } from '../cases/inbox';
import { nextOf } from '../cases/shape';
import { PassOn } from '../cases/pass-on';
import { UndoBar } from '../cases/undo-bar';
import { classText, entryText, kindText, measuredRows, stateText, stateTone } from '../cases/words';
import { num, t, useLang } from '../i18n';
import { ExportForm } from '../parts/export-form';
import { Icon } from '../parts/icon';
import { Link } from '../parts/link';
import { Empty, failureText, Failure, Loading } from '../parts/notice';
import { usePoll } from '../poll';
import { go, paths } from '../router';
import { useSignal } from '../signal';
import { clock, clockSeconds, date, DEFAULT_ZONE, fromApi } from '../time';
import type { Case, CaseList } from '../types';

const EVERY_MS = 60_000;
/** Footage before the first evidence belongs to the story. */
const BEFORE_MS = 5_000;

export function CasePage({ id }: { id: number }) {
  const { data, error, again } = usePoll<Case>(`cases/${id}`, EVERY_MS, useChanges(id));
  if (data) return <Card one={data} />;
  if (error instanceof ApiError && error.status === 404) {
    return <Empty icon="off" title={t('case.missing')}><Link to={paths.cases()} class="button">{t('cases.title')}</Link></Empty>;
  }
  return error ? <Failure error={error} again={again} /> : <Loading />;
}

type Said = 'confirm' | 'false-alarm' | 'undo' | 'hold' | 'seen';

function Card({ one: fresh }: { one: Case }) {
  const lang = useLang();
  const waiting = useSignal(todo);
  const zone = session.value?.site.timezone ?? DEFAULT_ZONE;
  // What an answer brought back is newer than what was asked for before it.
  const [answered, setAnswered] = useState<Case | null>(null);
  useEffect(() => setAnswered(null), [fresh]);
  const one = answered ?? fresh;
  const [busy, setBusy] = useState<Said | null>(null);
  const [failed, setFailed] = useState<string | null>(null);

  const say = async (what: Said) => {
    if (busy) return;
    setBusy(what);
    setFailed(null);
    try {
      const answer = what === 'hold' ? await post<Case>(`cases/${one.id}/hold`, { hold: !one.held })
        : what === 'undo' || what === 'seen' ? await post<Case>(`cases/${one.id}/${what}`) : await post<Case>(`cases/${one.id}/answer`, { answer: what });
      noteServerTime(answer.now);
      setAnswered(answer);
    } catch (failure) {
      // Somebody else was faster, or the time to take it back is over: show how it stands.
      setFailed(failure instanceof ApiError && failure.status === 409 ? t(what === 'hold' ? 'case.evidence_gone' : what === 'undo' ? 'case.undo_late' : 'case.taken') : failureText(failure));
    } finally {
      setBusy(null);
      touch(one.id);
    }
  };
  const next = async () => {
    try {
      const { cases } = await get<CaseList>('cases?state=raised&limit=2');
      const id = nextOf(cases, one.id);
      go(id === null ? paths.cases() : paths.case(id));
    } catch (failure) {
      setFailed(failureText(failure));
    }
  };

  const open = one.state === 'raised';
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.repeat) return;
      if (event.key === 'Escape' && !document.fullscreenElement) go(paths.cases());
      else if (event.key === '1' && open) void say('confirm');
      else if (event.key === '2' && open) void say('false-alarm');
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  });

  const at = fromApi(one.raised) ?? 0;
  const start = fromApi(one.start) ?? at;
  const [clipFrom, clipTo] = [fromApi(one.clip_from), fromApi(one.clip_to)];
  const seenBy = (one.history ?? []).filter((entry) => entry.what === 'seen').map((entry) => `${entry.by ?? ''} ${clock(fromApi(entry.at) ?? 0, zone)}`);
  const mine = (one.history ?? []).some((entry) => entry.what === 'seen' && entry.by === session.value?.name);
  const byHand = one.kind === 'by-hand';
  const rows = measuredRows(one.measured);
  return (
    <section class="case" data-case={one.id} data-state={one.state} data-still={one.still} data-clip={one.clip}>
      <div class="bar">
        <Link to={paths.cases()} class="button plain square" label={t('cases.title')}><Icon name="back" /></Link>
        <h1>{one.camera_name}</h1>
        <span class={`state ${stateTone(one.state)}`}>{stateText(one.state)}</span>
      </div>
      <p class="case-head"><strong>{kindText(one.kind)}</strong> · {clockSeconds(at, zone)} · {date(at, zone)} · {t('case.number', { n: one.id })}</p>

      <Still one={one} />

      {failed && <p class="message bad" role="alert"><Icon name="warn" />{failed}</p>}
      <div class="answers">
        {open ? (
          <>
            <button type="button" class="button primary answer" aria-keyshortcuts="1" disabled={busy !== null} onClick={() => void say('confirm')}><Icon name="ok" />{t('act.confirm')}</button>
            <button type="button" class="button answer" aria-keyshortcuts="2" disabled={busy !== null} onClick={() => void say('false-alarm')}><Icon name="wrong" />{t('act.false')}</button>
          </>
        ) : (
          <UndoBar one={one} busy={busy !== null} onUndo={() => void say('undo')} onChange={() => void say(one.state === 'confirmed' ? 'false-alarm' : 'confirm')}>
            {waiting !== null && waiting > 0 && <button type="button" class="button primary" onClick={() => void next()}>{t('case.next', { n: num(waiting) })}<Icon name="forward" /></button>}
          </UndoBar>
        )}
      </div>

      {seenBy.length > 0 && <p class="hint seen-by"><Icon name="eye" />{t('case.seen_by', { names: seenBy.join(', ') })}</p>}
      {open && !mine && <button type="button" class="button" disabled={busy !== null} onClick={() => void say('seen')}><Icon name="eye" />{t('push.seen')}</button>}

      <div class="card why">
        <h2>{t('why.prefix')}</h2>
        <p class="why-sentence">{one.why[lang]}</p>
        {one.note !== '' && <p class="case-note"><strong>{t('case.note')}:</strong> {one.note}</p>}
        {(rows.length > 0 || one.class) && (
          <dl>
            {one.class && <div><dt>{t('case.seen_as')}</dt><dd>{classText(one.class)}</dd></div>}
            {one.zone && <div><dt>{t('case.zone')}</dt><dd>{one.zone}</dd></div>}
            {rows.map((row) => <div key={row.name}><dt>{row.name}</dt><dd>{row.value}</dd></div>)}
          </dl>
        )}
        {!byHand && <p class="hint">{t('word.reference')}</p>}
      </div>

      <Clip one={one} />
      <div class="actions">
        <button type="button" class="button" onClick={() => go(paths.playback(one.camera, start - BEFORE_MS))}><Icon name="playback" />{t('case.playback')}</button>
        <button type="button" class="button" onClick={() => go(paths.camera(one.camera))}><Icon name="live" />{t('play.live')}</button>
        {!one.evidence_gone && <button type="button" class="button" aria-pressed={one.held === true} disabled={busy !== null} onClick={() => void say('hold')}><Icon name="cases" />{t(one.held ? 'keep.let_go' : 'keep.hold')}</button>}
      </div>
      {one.held && <p class="hint" role="status">{t('case.held')}</p>}
      <PassOn id={one.id} zone={zone} />

      {one.state === 'confirmed' && clipFrom !== null && clipTo !== null && (
        <ExportForm camera={one.camera} stream="main" zone={zone} from={clipFrom} to={clipTo} case={one.id} />
      )}

      {one.history && one.history.length > 0 && (
        <div class="card history">
          <h2>{t('case.history')}</h2>
          <ol>
            {one.history.map((entry, i) => (
              <li key={i}>
                <span class="history-at">{clockSeconds(fromApi(entry.at) ?? 0, zone)} {date(fromApi(entry.at) ?? 0, zone)}</span>
                <span><strong>{entryText(entry)}</strong>{entry.by ? ` – ${entry.by}` : ''}</span>
              </li>
            ))}
          </ol>
        </div>
      )}
    </section>
  );
}
