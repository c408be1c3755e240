// What is shown over the film while a finger is where no film is loaded: a small picture, and always of when it is.

import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n';
import { Icon } from '../parts/icon';
import { count } from '../saver';
import { clockSeconds, toApi, type Ms } from '../time';
import { Glimpse } from './glimpse';

interface Props {
  camera: string;
  zone: string;
  /** Where the finger is; null: it was lifted, and what was shown stays until the film is there. */
  at: Ms | null;
  /** Something was recorded there. */
  recorded: boolean;
}

interface Shown {
  at: Ms;
  /** Address of the picture; null: there is none. */
  picture: string | null;
}

async function ask(camera: string, at: Ms, signal: AbortSignal): Promise<string | null> {
  const path = `/api/v1/cameras/${encodeURIComponent(camera)}/picture.jpg?at=${encodeURIComponent(toApi(at))}`;
  const answer = await fetch(path, { credentials: 'same-origin', cache: 'no-store', signal });
  if (!answer.ok) return null;
  const blob = await answer.blob();
  count(blob.size);
  return URL.createObjectURL(blob);
}

export function Glimpsed({ camera, zone, at, recorded }: Props) {
  const [shown, setShown] = useState<Shown | null>(null);
  const address = useRef<string | null>(null);
  const glimpse = useRef<Glimpse<string> | null>(null);

  useEffect(() => {
    const show = (when: Ms, picture: string | null) => {
      if (address.current) URL.revokeObjectURL(address.current);
      address.current = picture;
      setShown({ at: when, picture });
    };
    const timers = { set: (run: () => void, ms: number) => window.setTimeout(run, ms), clear: (timer: number) => window.clearTimeout(timer) };
    const made = new Glimpse<string>({ ask: (when, signal) => ask(camera, when, signal), show, timers, now: () => performance.now() });
    glimpse.current = made;
    return () => {
      made.rest();
      if (address.current) URL.revokeObjectURL(address.current);
    };
  }, [camera]);
  useEffect(() => {
    if (at === null || !recorded) glimpse.current?.rest();
    else glimpse.current?.wish(at);
  }, [at, recorded]);

  const none = !recorded || (shown !== null && shown.picture === null);
  const when = shown ? clockSeconds(shown.at, zone) : '';
  return (
    <div class="glimpse" data-glimpse={none ? 'none' : shown ? Math.round(shown.at) : ''}>
      {!none && shown?.picture && <img class="single" src={shown.picture} alt={when} />}
      {none ? <div class="cover"><Icon name="off" /><p class="cover-text">{t('play.beside_none')}</p></div>
        : shown ? <p class="second-name">{t('play.glimpse', { time: when })}</p>
        : <div class="cover"><span class="spinner" aria-hidden="true" /></div>}
    </div>
  );
}
