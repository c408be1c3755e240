// The past of a camera that has masks, for whoever may not play its recordings: single pictures, black where they are covered.

import { useState } from 'preact/hooks';
import { serverNow } from '../api';
import { t } from '../i18n';
import { Icon } from '../parts/icon';
import { clockSeconds, date, dayBounds, type Day, type Ms } from '../time';
import type { Camera } from '../types';

interface Props {
  camera: Camera;
  day: Day;
  zone: string;
  start: Ms | null;
  onWall: (wall: Ms) => void;
}

/** The newest pictures are still on their way to the disk. */
const BEHIND: Ms = 15_000;

export function Masked({ camera, day, zone, start, onWall }: Props) {
  const [from, end] = dayBounds(day, zone);
  const within = (wall: Ms) => Math.max(from, Math.min(wall, end - 1000, serverNow() - BEHIND));
  const [wall, setWall] = useState<Ms>(() => within(start ?? end));
  const [broken, setBroken] = useState(false);
  const jump = (by: Ms) => {
    const to = within(wall + by);
    setBroken(false);
    setWall(to);
    onWall(to);
  };
  const at = new Date(wall).toISOString();
  const when = `${date(wall, zone)} ${clockSeconds(wall, zone)}`;
  return (
    <div class="masked" data-masked={camera.id}>
      <p class="message"><Icon name="warn" />{t('play.masked')}</p>
      <div class="stage">
        <div class="picture large">
          <img class="single" src={`/api/v1/cameras/${encodeURIComponent(camera.id)}/picture.jpg?at=${encodeURIComponent(at)}`} alt={`${camera.name} ${when}`} onLoad={() => setBroken(false)} onError={() => setBroken(true)} />
          {broken && <div class="cover" role="status"><Icon name="off" /><p class="cover-text">{t('play.beside_none')}</p></div>}
        </div>
      </div>
      <p class="tally" role="status">{when}</p>
      <div class="keys">
        <div class="jumps">
          <button type="button" class="button jump" aria-label={t('play.back_60')} onClick={() => jump(-60_000)}><Icon name="back" />{t('play.min_1')}</button>
          <button type="button" class="button jump" aria-label={t('play.back_10')} onClick={() => jump(-10_000)}><Icon name="back" />{t('play.sec_10')}</button>
          <button type="button" class="button jump" aria-label={t('play.forward_10')} onClick={() => jump(10_000)}>{t('play.sec_10')}<Icon name="forward" /></button>
          <button type="button" class="button jump" aria-label={t('play.forward_60')} onClick={() => jump(60_000)}>{t('play.min_1')}<Icon name="forward" /></button>
        </div>
      </div>
    </div>
  );
}
