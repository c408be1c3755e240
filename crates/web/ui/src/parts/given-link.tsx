// A link that was just made: to be read, copied, or sent by the phone's own sheet. Does not belong here: who it is for, and what it opens.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { Icon } from './icon';

/** `send`: what the button says; `text`: what goes with the link. `children`: further buttons, and then sending is not what matters most. */
export function GivenLink({ link, send, text, children }: { link: string; send: string; text: string; children?: ComponentChildren }) {
  const [copied, setCopied] = useState(false);
  const copy = () => navigator.clipboard?.writeText(link).then(() => setCopied(true), () => undefined);
  const share = () => void navigator.share?.({ text, url: link }).catch(() => undefined);
  // Clipboard and share sheet need https; the link can be read and marked in any case.
  return (
    <>
      <p class="link"><code data-link>{link}</code></p>
      <div class="actions">
        {'share' in navigator && <button type="button" class={children ? 'button' : 'button primary'} onClick={share}>{send}</button>}
        {navigator.clipboard && <button type="button" class="button" onClick={() => void copy()}>{t(copied ? 'people.copied' : 'people.copy')}{copied && <Icon name="ok" />}</button>}
        {children}
      </div>
    </>
  );
}
