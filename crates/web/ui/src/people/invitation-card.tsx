// The invitation, shown once: to be scanned by the phone beside this one, or sent.

import { serverNow } from '../api';
import { t } from '../i18n';
import { GivenLink } from '../parts/given-link';
import { when } from '../parts/row';
import type { Invitation } from '../types';

export function InvitationCard({ made, zone, close }: { made: Invitation; zone: string; close: () => void }) {
  return (
    <section class="card invitation" data-invitation>
      <h3>{t('people.for', { name: made.name })}</h3>
      <svg viewBox={`0 0 ${made.qr.size} ${made.qr.size}`} role="img" aria-label={t('people.qr')} shape-rendering="crispEdges">
        <rect width={made.qr.size} height={made.qr.size} fill="#fff" />
        <path d={made.qr.path} fill="#000" />
      </svg>
      <p class="hint">{t('people.scan', { time: when(made.expires, zone, serverNow()) })}</p>
      <GivenLink link={made.link} send={t('people.send')} text={t('people.send_text', { name: made.name })}>
        <button type="button" class="button primary" onClick={close}>{t('people.done')}</button>
      </GivenLink>
    </section>
  );
}
