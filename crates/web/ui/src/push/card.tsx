// Bật báo tin: one button where it can be turned on, else what somebody must do first.

import { useState } from 'preact/hooks';
import { t, useLang, type TextKey } from '../i18n';
import { Icon } from '../parts/icon';
import { useSignal } from '../signal';
import { told, turnOff, turnOn } from './phone';
import type { Standing } from './standing';

const INSTEAD: { [standing in Standing]?: TextKey } = {
  zalo: 'zalo.inapp',
  insecure: 'push.insecure',
  iphone: 'push.iphone',
  unsupported: 'push.unsupported',
  denied: 'push.denied',
};

export function PushCard() {
  const lang = useLang();
  const { offered, standing, id } = useSignal(told);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  // A box that tells no phones has nothing to turn on; its devices page says how.
  if (!offered) return null;
  const on = id !== null;
  const turn = async () => {
    setBusy(true);
    setFailed(false);
    try {
      await (on ? turnOff() : turnOn(lang));
    } catch {
      setFailed(true);
    } finally {
      setBusy(false);
    }
  };
  const instead = INSTEAD[standing];
  return (
    <div class="card push-card" data-push={on ? 'on' : standing}>
      {instead
        ? <p class="hint"><Icon name="bell" /><span>{t(instead)}</span></p>
        : (
          <>
            <p role="status"><Icon name={on ? 'ok' : 'bell'} /><span>{t(on ? 'push.is_on' : 'push.ask')}</span></p>
            <button type="button" class={on ? 'button' : 'button primary'} disabled={busy} onClick={() => void turn()}>{t(busy ? 'push.busy' : on ? 'push.turn_off' : 'push.turn_on')}</button>
          </>
        )}
      {failed && <p class="message bad" role="alert"><Icon name="warn" />{t('push.failed')}</p>}
    </div>
  );
}
