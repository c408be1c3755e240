// Somebody's devices, each with the way to let it go.

import { useState } from 'preact/hooks';
import { remove, serverNow } from '../api';
import { t } from '../i18n';
import { Icon } from '../parts/icon';
import { failureText } from '../parts/notice';
import { when } from '../parts/row';
import type { Device } from '../types';

export function DeviceList({ devices, zone, again }: { devices: Device[]; zone: string; again: () => void }) {
  const [failed, setFailed] = useState<string | null>(null);
  const [asked, setAsked] = useState<string | null>(null);
  const release = async (id: string) => {
    setFailed(null);
    try {
      await remove(`devices/${id}`);
    } catch (failure) {
      setFailed(failureText(failure));
    }
    setAsked(null);
    again();
  };
  if (devices.length === 0) return <p class="hint">{t('people.no_device')}</p>;
  return (
    <>
      <ul class="exports">
        {devices.map((one) => (
          <li key={one.id} data-device={one.id}>
            <p><strong>{one.label || t('people.device')}</strong>{one.current && ` · ${t('people.this')}`}</p>
            <p class="hint">{t('people.seen', { time: when(one.seen, zone, serverNow()) })}</p>
            {/* Leaving on this phone is signing out: in the menu above. */}
            {!one.current && asked !== one.id && <button type="button" class="button" onClick={() => setAsked(one.id)}>{t('people.release')}</button>}
            {asked === one.id && (
              <div class="actions">
                <button type="button" class="button" onClick={() => void release(one.id)}>{t('people.release_sure')}</button>
                <button type="button" class="button primary" onClick={() => setAsked(null)}>{t('act.keep_it')}</button>
              </div>
            )}
          </li>
        ))}
      </ul>
      {failed && <p class="message bad" role="alert"><Icon name="warn" />{failed}</p>}
    </>
  );
}
