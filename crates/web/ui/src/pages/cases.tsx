// Vụ việc: what waits for a person, newest first; or everything there is.

import { useState } from 'preact/hooks';
import { useChanges } from '../cases/inbox';
import { Notice } from '../cases/notice';
import { stillPath } from '../cases/shape';
import { kindText, stateText, stateTone } from '../cases/words';
import { num, t, useLang } from '../i18n';
import { Icon } from '../parts/icon';
import { Link } from '../parts/link';
import { PushCard } from '../push/card';
import { Empty, Failure, Loading } from '../parts/notice';
import { usePoll } from '../poll';
import { paths } from '../router';
import { session } from '../api';
import { clock, date, dayOf, DEFAULT_ZONE, fromApi, type Ms } from '../time';
import type { Case, CaseList } from '../types';

const PER_PAGE = 24;
/** Changes are told; this is for what is not. */
const EVERY_MS = 60_000;

export function CasesPage({ all }: { all: boolean }) {
  // Where each page further back begins: the last case of the one before it.
  const [steps, setSteps] = useState<number[]>([]);
  const before = steps[steps.length - 1];
  const path = `cases?limit=${PER_PAGE}${all ? '' : '&state=raised'}${before === undefined ? '' : `&before=${before}`}`;
  return <Shown key={path} path={path} all={all} first={before === undefined} onOlder={(last) => setSteps([...steps, last])} onNewer={() => setSteps(steps.slice(0, -1))} />;
}

interface Props {
  path: string;
  all: boolean;
  first: boolean;
  onOlder: (last: number) => void;
  onNewer: () => void;
}

function Shown({ path, all, first, onOlder, onNewer }: Props) {
  const { data, error, again } = usePoll<CaseList>(path, EVERY_MS, useChanges(null));
  const zone = session.value?.site.timezone ?? DEFAULT_ZONE;
  const last = data?.cases[data.cases.length - 1];
  const now = fromApi(data?.now) ?? Date.now();
  return (
    <section class="cases">
      <div class="bar page">
        <h1>{t('cases.title')}</h1>
        <div class="choice words" role="group" aria-label={t('cases.filter')}>
          <Link to={paths.cases()} current={!all}>{t('inbox.todo', { n: data ? num(data.todo) : '…' })}</Link>
          <Link to={paths.cases(true)} current={all}>{t('cases.all')}</Link>
        </div>
      </div>
      <Notice />
      <PushCard />
      {!data && (error ? <Failure error={error} again={again} /> : <Loading />)}
      {data && data.cases.length === 0 && (
        <Empty icon={all ? 'cases' : 'ok'} title={t(all ? 'cases.none' : 'inbox.empty')}><p>{t('cases.by_hand_hint')}</p></Empty>
      )}
      {data && data.cases.length > 0 && (
        <ul class="case-list">
          {data.cases.map((one) => <li key={one.id}><Row one={one} zone={zone} now={now} /></li>)}
        </ul>
      )}
      {data && (!first || data.cases.length === PER_PAGE) && (
        <nav class="pager" aria-label={t('cases.pages')}>
          <button type="button" class="button" disabled={first} onClick={onNewer}><Icon name="back" />{t('cases.newer')}</button>
          <button type="button" class="button" disabled={data.cases.length < PER_PAGE} onClick={() => last && onOlder(last.id)}>{t('cases.older')}<Icon name="forward" /></button>
        </nav>
      )}
    </section>
  );
}

function Row({ one, zone, now }: { one: Case; zone: string; now: Ms }) {
  const lang = useLang();
  const at = fromApi(one.raised) ?? 0;
  const still = stillPath(one);
  return (
    <Link to={paths.case(one.id)} class="card case-row" data={{ 'data-case': one.id, 'data-state': one.state }}>
      <span class="case-still">
        {still ? <img src={still} alt="" loading="lazy" decoding="async" /> : <Icon name={one.still === 'pending' ? 'clock' : 'photo'} />}
      </span>
      <span class="case-text">
        <strong class="case-title">{one.camera_name}</strong>
        <span class="case-kind">{kindText(one.kind)} · {clock(at, zone)}{dayOf(at, zone) === dayOf(now, zone) ? '' : ` ${date(at, zone)}`}</span>
        <span class={`state ${stateTone(one.state)}`}>{stateText(one.state)}</span>
        <span class="case-why">{one.kind === 'by-hand' ? one.note : one.why[lang]}</span>
      </span>
    </Link>
  );
}
