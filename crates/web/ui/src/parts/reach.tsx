// How the box is reached: its address from outside, its certificate, and by name what does not work as it is.

import { t, tKey } from '../i18n';
import { fromApi, type Ms } from '../time';
import type { Reach } from '../types';
import { Row, when } from './row';

export function ReachCard({ reach, zone, now }: { reach: Reach; zone: string; now: Ms }) {
  const shown = reach.certificate;
  const tone = shown === null ? 'plain' : shown.state === 'good' ? 'good' : shown.state === 'ends' || shown.state === 'refused' ? 'busy' : 'bad';
  const until = shown && fromApi(shown.until) !== null ? when(shown.until, zone, now) : '';
  return (
    <article class="card trust" data-reach={reach.public_url === null ? 'village' : 'public'}>
      <h3>{t('door.title')}</h3>
      <p><span class={`state ${tone}`}>{tKey(`door.${shown === null ? 'plain' : shown.state}.word`, 'door.unknown')}</span></p>
      {reach.missing.length > 0 && (
        <p class="todo">{t('door.missing', { what: reach.missing.map((what) => tKey(`door.needs.${what}`, 'door.unknown')).join(', ') })}</p>
      )}
      <dl>
        <Row name={t('door.public')} value={reach.public_url ?? t('door.none')} />
        {shown && <Row name={t('door.names')} value={shown.names.join(', ')} />}
        {shown && <Row name={t('door.until')} value={until} />}
      </dl>
      {shown && shown.authority !== null && <p class="hint">{t('door.authority')} <span class="key">{shown.authority}</span></p>}
    </article>
  );
}
