// The invitation, shown once: to be scanned by the phone beside this one, or sent.

import { useState } from 'preact/hooks';
import { serverNow } from '../api';
import { t } from '../i18n';
import { Icon } from '../parts/icon';
import { when } from '../parts/row';
import type { Invitation } from '../types';

export function InvitationCard({ made, zone, close }: { made: Invitation; zone: string; close: () => void }) {
  const [copied, setCopied] = useState(false);
  const copy = () => navigator.clipboard?.writeText(made.link).then(() => setCopied(true), () => undefined);
  const send = () => void navigator.share?.({ text: t('people.send_text', { name: made.name }), url: made.link }).catch(() => undefined);
  // Clipboard and share sheet need https; the link can be read and marked in any case.
  return (
    <section class="card invitation" data-invitation>
      <h3>{t('people.for', { name: made.name })}</h3>
      <svg viewBox={`0 0 ${made.qr.size} ${made.qr.size}`} role="img" aria-label={t('people.qr')} shape-rendering="crispEdges">
        <rect width={made.qr.size} height={made.qr.size} fill="#fff" />
        <path d={made.qr.path} fill="#000" />
      </svg>
      <p class="hint">{t('people.scan', { time: when(made.expires, zone, serverNow()) })}</p>
      <p class="link"><code>{made.link}</code></p>
      <div class="actions">
        {'share' in navigator && <button type="button" class="button" onClick={send}>{t('people.send')}</button>}
        {navigator.clipboard && <button type="button" class="button" onClick={() => void copy()}>{t(copied ? 'people.copied' : 'people.copy')}{copied && <Icon name="ok" />}</button>}
        <button type="button" class="button primary" onClick={close}>{t('people.done')}</button>
      </div>
    </section>
  );
}
