// Tiết kiệm dữ liệu: the choice, and how much was used.

import { t, type TextKey } from '../i18n';
import type { SaverChoice } from '../player/saver';
import { choice, choose, saver, used } from '../saver';
import { useSignal } from '../signal';
import { bytes } from '../words';
import { Icon } from './icon';

const WORDS: { [choice in SaverChoice]: TextKey } = { auto: 'saver.auto', on: 'saver.on', off: 'saver.off' };

export function SaverCard() {
  const chosen = useSignal(choice);
  const spent = useSignal(used);
  return (
    <>
      <h2>{t('saver.title')}</h2>
      <div class="card" data-saver={chosen}>
        <p class="hint">{t('saver.what')}</p>
        <div class="choice words" role="group" aria-label={t('saver.title')}>
          {(Object.keys(WORDS) as SaverChoice[]).map((one) => (
            <button key={one} type="button" aria-pressed={chosen === one} onClick={() => choose(one)}>{t(WORDS[one])}</button>
          ))}
        </div>
        <p>{t('saver.used', { size: bytes(spent) })}</p>
      </div>
    </>
  );
}

/** One line over the pictures, while data is spared. */
export function SaverLine() {
  const on = useSignal(saver);
  const spent = useSignal(used);
  if (!on) return null;
  return <p class="message" role="status" data-saving><Icon name="photo" />{t('saver.line', { size: bytes(spent) })}</p>;
}
