// Tìm: vehicles and animals that came by. Whoever searches says what for; nobody is searched for by how he looks.

import { useEffect, useRef, useState } from 'preact/hooks';
import { post, serverNow } from '../api';
import { classText } from '../cases/words';
import { t, tKey, useLang } from '../i18n';
import { DatePick } from '../parts/date-pick';
import { Icon } from '../parts/icon';
import { Empty, Failure, failureText, Loading } from '../parts/notice';
import { usePoll } from '../poll';
import { Chips } from '../search/chips';
import { Found } from '../search/found';
import { CLASSES, COLOURS, HEADINGS, hourAgo, queryOf, wrongWith, type Chosen } from '../search/query';
import { clock, dayOf } from '../time';
import type { Camera, Cameras, Found as Answer, Sighting } from '../types';

export function SearchPage() {
  useLang();
  const { data, error, again } = usePoll<Cameras>('cameras', 60_000);
  if (!data) return error ? <Failure error={error} again={again} /> : <Loading />;
  if (data.cameras.length === 0) return <Empty icon="find" title={t('state.no_cameras')} />;
  return <Form cameras={data.cameras} zone={data.site.timezone} />;
}

const REASONS = ['find.reason_case', 'find.reason_lost', 'find.reason_police'] as const;

function Form({ cameras, zone }: { cameras: Camera[]; zone: string }) {
  const today = dayOf(serverNow(), zone);
  const [chosen, setChosen] = useState<Chosen>(() => ({
    day: today, from: hourAgo(serverNow(), (at) => clock(at, zone), (at) => dayOf(at, zone)), to: '', camera: '', classes: [], colours: [], headings: [], purpose: '',
  }));
  const [asked, setAsked] = useState<Chosen | null>(null);
  const [found, setFound] = useState<Sighting[] | null>(null);
  const [before, setBefore] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  // What was asked for lies below a long form: a thumb should not have to look for it.
  const results = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (asked) results.current?.scrollIntoView({ block: 'start' });
  }, [asked]);
  const change = (part: Partial<Chosen>) => setChosen((now) => ({ ...now, ...part }));
  const wrong = wrongWith(chosen, zone);

  const ask = async (what: Chosen, page: string | null) => {
    const query = queryOf(what, zone, page);
    if (busy || query === null) return;
    setBusy(true);
    setFailed(null);
    try {
      const answer = await post<Answer>('search', query);
      if (page === null) setAsked({ ...what });
      setFound((old) => (page === null ? answer.found : [...(old ?? []), ...answer.found]));
      setBefore(answer.before);
    } catch (failure) {
      setFailed(failureText(failure));
    } finally {
      setBusy(false);
    }
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void ask(chosen, null);
  };
  const name = (id: string) => cameras.find((one) => one.id === id)?.name ?? id;
  return (
    <section class="search">
      <div class="bar page"><h1>{t('nav.search')}</h1></div>
      <form class="card" onSubmit={submit} noValidate>
        <div class="search-when">
          <div class="field"><span class="label">{t('play.day')}</span><DatePick day={chosen.day} max={today} label={t('play.day')} onPick={(day) => change({ day })} /></div>
          <label class="field"><span>{t('clip.from')}</span><input name="from" inputMode="numeric" placeholder="00:00" value={chosen.from} onInput={(event) => change({ from: event.currentTarget.value })} /></label>
          <label class="field"><span>{t('clip.to')}</span><input name="to" inputMode="numeric" placeholder="24:00" value={chosen.to} onInput={(event) => change({ to: event.currentTarget.value })} /></label>
        </div>
        <label class="field">
          <span>{t('play.camera')}</span>
          <select name="camera" value={chosen.camera} onChange={(event) => change({ camera: event.currentTarget.value })}>
            <option value="">{t('people.all_places')}</option>
            {cameras.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
          </select>
        </label>
        <Chips name="class" title={t('find.class')} all={CLASSES} chosen={chosen.classes} text={classText} onChoose={(classes) => change({ classes })} />
        <Chips name="colour" title={t('find.colour')} all={COLOURS} chosen={chosen.colours} text={(one) => tKey(`colour.${one}`, 'colour.unknown')} dots onChoose={(colours) => change({ colours })} />
        <Chips name="heading" title={t('find.heading')} all={HEADINGS} chosen={chosen.headings} text={(one) => tKey(`heading.${one}`, 'heading.still')} onChoose={(headings) => change({ headings })} />
        <label class="field"><span>{t('find.purpose')}</span><input name="purpose" maxLength={200} autoComplete="off" value={chosen.purpose} onInput={(event) => change({ purpose: event.currentTarget.value })} /></label>
        <div class="chips">
          {REASONS.map((reason) => <button key={reason} type="button" class="chip" data-reason={reason} onClick={() => change({ purpose: t(reason) })}>{t(reason)}</button>)}
        </div>
        {(wrong === 'time' || wrong === 'order') && <p class="message bad" role="alert"><Icon name="warn" />{t(wrong === 'time' ? 'clip.time' : 'clip.order')}</p>}
        {failed && <p class="message bad" role="alert"><Icon name="warn" />{failed}</p>}
        <button type="submit" class="button primary wide" disabled={busy || wrong !== null}><Icon name="find" />{t(busy ? 'find.busy' : 'nav.search')}</button>
        <p class="hint">{t('find.hint')}</p>
      </form>
      <div ref={results} class="results" aria-live="polite">{found && <p class="unseen">{t('find.results')}: {found.length}</p>}</div>
      {found && found.length === 0 && <Empty icon="find" title={t('find.none')}><p>{t('find.none_todo')}</p></Empty>}
      {found && found.length > 0 && (
        <ul class="found-list" aria-label={t('find.results')}>
          {found.map((one) => <li key={`${one.camera} ${one.first} ${one.best}`}><Found one={one} name={name(one.camera)} zone={zone} /></li>)}
        </ul>
      )}
      {asked && before !== null && <button type="button" class="button wide" disabled={busy} onClick={() => void ask(asked, before)}>{t('cases.older')}</button>}
    </section>
  );
}
