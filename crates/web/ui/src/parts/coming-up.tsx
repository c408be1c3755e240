// The demo's panel: what is about to happen before the drawn cameras, counted down.

import { useEffect, useState } from 'preact/hooks';
import { get, serverNow } from '../api';
import { coming } from '../coming';
import { isKey, t } from '../i18n';
import type { Camera, Story } from '../types';
import { duration } from '../words';
import { Link } from './link';
import { paths } from '../router';

/** More would push the pictures off a phone's screen. */
const SHOWN = 3;

export function ComingUp({ cameras }: { cameras: Camera[] }) {
  const [story, setStory] = useState<Story | null>(null);
  const [, tick] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    // A demo without a story has no panel.
    get<Story>('demo', stop.signal).then(setStory, () => undefined);
    const timer = window.setInterval(() => tick((n) => n + 1), 1000);
    return () => {
      stop.abort();
      window.clearInterval(timer);
    };
  }, []);
  if (!story) return null;
  const list = coming(story, serverNow()).slice(0, SHOWN);
  return (
    <section class="card coming" aria-label={t('demo.title')}>
      <h2>{t('demo.title')}</h2>
      <ul>
        {list.map(({ camera, kind, ruled, wait }) => {
          const key = `kind.${kind}`;
          return (
            <li key={camera + kind} data-kind={kind} data-wait={Math.round(wait)}>
              <strong>{wait === 0 ? t('demo.now') : t('demo.in', { dur: duration(Math.max(1, Math.round(wait))) })}</strong>
              <Link to={paths.camera(camera)}>{cameras.find((c) => c.id === camera)?.name ?? camera}</Link>
              <span>{isKey(key) ? t(key) : kind}</span>
              {!ruled && <span class="hint">({t('demo.norule')})</span>}
            </li>
          );
        })}
      </ul>
      <p class="hint">{t('demo.hint')}</p>
    </section>
  );
}
