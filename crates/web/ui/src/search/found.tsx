// One thing that came by: its picture with a box around it, when and where; a tap plays the moment.

import { useState } from 'preact/hooks';
import { frameOf } from '../cases/shape';
import { classText } from '../cases/words';
import { t, tKey } from '../i18n';
import { Icon } from '../parts/icon';
import { Link } from '../parts/link';
import { paths } from '../router';
import { clockSeconds, date, fromApi } from '../time';
import type { Sighting } from '../types';

/** Playback begins a moment before. */
const BEFORE_MS = 3_000;

export function Found({ one, name, zone }: { one: Sighting; name: string; zone: string }) {
  const [broken, setBroken] = useState(false);
  const first = fromApi(one.first) ?? 0;
  const best = fromApi(one.best) ?? first;
  const frame = frameOf(one.box);
  const what = [classText(one.class), ...(one.colour ? [tKey(`colour.${one.colour}`, 'colour.unknown')] : [])].join(' ');
  const heading = tKey(`heading.${one.heading}`, 'heading.still');
  return (
    <Link to={paths.playback(one.camera, first - BEFORE_MS)} class="card found" data={{ 'data-found': one.class }}>
      <span class="found-picture">
        {broken ? <Icon name="photo" /> : (
          <>
            <img src={`/api/v1/cameras/${encodeURIComponent(one.camera)}/picture.jpg?at=${encodeURIComponent(one.best)}`} alt={t('find.picture', { what, camera: name, time: clockSeconds(best, zone) })} loading="lazy" decoding="async" onError={() => setBroken(true)} />
            {frame && <span class="case-box" style={{ left: `${frame.left}%`, top: `${frame.top}%`, width: `${frame.width}%`, height: `${frame.height}%` }} />}
          </>
        )}
      </span>
      <span class="found-text">
        <strong>{what} · {heading}</strong>
        <span>{name}</span>
        <span class="hint">{clockSeconds(first, zone)} · {date(first, zone)}</span>
      </span>
    </Link>
  );
}
