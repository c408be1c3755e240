// The keys below the picture: play, jumps, single pictures, speed. Big enough for a thumb.

import { t } from '../i18n';
import { Icon } from '../parts/icon';

interface Props {
  disabled: boolean;
  playing: boolean;
  speed: number;
  onPlay: () => void;
  onJump: (ms: number) => void;
  onStep: (by: 1 | -1) => void;
  onSpeed: (speed: number) => void;
}

const SPEEDS = [1, 2, 4, 8];

export function Keys({ disabled, playing, speed, onPlay, onJump, onStep, onSpeed }: Props) {
  return (
    <div class="keys">
      <div class="jumps">
        <button type="button" class="button jump" disabled={disabled} aria-label={t('play.back_60')} onClick={() => onJump(-60_000)}><Icon name="back" />{t('play.min_1')}</button>
        <button type="button" class="button jump" disabled={disabled} aria-label={t('play.back_10')} onClick={() => onJump(-10_000)}><Icon name="back" />{t('play.sec_10')}</button>
        <button type="button" class="button primary play" disabled={disabled} aria-label={t(playing ? 'play.pause' : 'play.play')} onClick={onPlay}><Icon name={playing ? 'pause' : 'play'} /></button>
        <button type="button" class="button jump" disabled={disabled} aria-label={t('play.forward_10')} onClick={() => onJump(10_000)}>{t('play.sec_10')}<Icon name="forward" /></button>
        <button type="button" class="button jump" disabled={disabled} aria-label={t('play.forward_60')} onClick={() => onJump(60_000)}>{t('play.min_1')}<Icon name="forward" /></button>
      </div>
      <div class="fine">
        <button type="button" class="button square" disabled={disabled} aria-label={t('play.frame_back')} onClick={() => onStep(-1)}><Icon name="stepBack" /></button>
        <div class="choice words" role="group" aria-label={t('play.speed')}>
          {SPEEDS.map((n) => (
            <button key={n} type="button" disabled={disabled} aria-pressed={speed === n} aria-label={t('play.speed_set', { n })} onClick={() => onSpeed(n)}>{n}×</button>
          ))}
        </div>
        <button type="button" class="button square" disabled={disabled} aria-label={t('play.frame_forward')} onClick={() => onStep(1)}><Icon name="step" /></button>
      </div>
    </div>
  );
}
