// How detection is doing, in words: a card on the devices page.

import { num, t, tKey } from '../i18n';
import type { Vision } from '../types';
import type { Tone } from './health';

/** No model is a choice, not a fault. */
export function visionTone(state: string): Tone | 'plain' {
  if (state === 'ok') return 'good';
  if (state === 'no-model') return 'plain';
  return state === 'starting' || state === 'restarting' ? 'busy' : 'bad';
}

export function VisionCard({ vision }: { vision: Vision }) {
  const tone = visionTone(vision.state);
  return (
    <article class="card" data-vision={vision.state}>
      <h3>{t('vision.title')}</h3>
      <p><span class={`state ${tone}`}>{tKey(`vision.${vision.state}.word`, 'vision.unknown.word')}</span></p>
      {vision.state !== 'ok' && <p class="todo">{tKey(`vision.${vision.state}`, 'vision.unknown')}</p>}
      {vision.state === 'no-model' && <p class="hint">{t('vision.pull')}</p>}
      <dl>
        {vision.model ? <div><dt>{t('vision.model')}</dt><dd>{vision.model}</dd></div> : null}
        {vision.restarts ? <div><dt>{t('vision.restarts')}</dt><dd>{num(vision.restarts)}</dd></div> : null}
        {vision.detail && vision.state !== 'ok' && vision.state !== 'no-model' ? <div><dt>{t('dev.technical')}</dt><dd>{vision.detail}</dd></div> : null}
      </dl>
    </article>
  );
}
