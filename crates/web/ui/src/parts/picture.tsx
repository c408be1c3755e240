// A live picture with its name, its delay and what it has to say when it does not play. Used small in the grid and large alone.

import { t } from '../i18n';
import { duration } from '../words';
import { linkText, linkTodo } from './health';
import { Icon } from './icon';
import type { Channel, Cover } from './use-live';
import { STILL_EVERY } from './use-live';

interface Props {
  name: string;
  attach: (video: HTMLVideoElement | null) => void;
  channel: Channel | undefined;
  cover: Cover | null;
  /** Room for the sentence that says what to do. */
  large?: boolean;
  /** Single pictures are as seldom as when data is spared. */
  sparing?: boolean;
}

function coverText(cover: Cover, channel: Channel | undefined, large: boolean): [string, string | null] {
  const codec = channel?.player.codec ?? '';
  switch (cover.key) {
    case 'camera': return [linkText(cover.link), linkTodo(cover.link)];
    case 'unsupported': return large ? [t('live.unsupported', { codec }), null] : [t('live.unsupported_short', { codec }), null];
    default: return [t(`live.${cover.key}` as const), null];
  }
}

const BUSY: readonly string[] = ['waiting', 'retrying', 'stalled'];

export function Picture({ name, attach, channel, cover, large = false, sparing = false }: Props) {
  const delay = cover === null && channel?.player.status === 'playing' ? channel.player.delay : null;
  const [text, todo] = cover ? coverText(cover, channel, large) : ['', null];
  const rung = cover === null && channel ? channel.rung : null;
  const every = sparing ? STILL_EVERY.saver : large ? STILL_EVERY.large : STILL_EVERY.tile;
  const soft = cover !== null && channel !== undefined && channel.player.width > 0 && (cover.key === 'stalled' || cover.key === 'retrying');
  return (
    <div class={large ? 'picture large' : 'picture'}>
      <video ref={attach} muted playsInline disablePictureInPicture aria-label={name} />
      {channel?.still && <img class="single" src={channel.still} alt={name} />}
      {cover && (
        <div class={soft ? 'cover soft' : 'cover'} role="status">
          {BUSY.includes(cover.key) ? <span class="spinner" aria-hidden="true" /> : <Icon name={cover.key === 'tap' ? 'play' : cover.key === 'camera' ? 'off' : 'warn'} />}
          <p class="cover-text">{text}</p>
          {todo && large && <p class="cover-todo">{todo}</p>}
        </div>
      )}
      <div class="caption">
        {!large && <span class="caption-name">{name}</span>}
        {rung !== null && <span class="caption-rung" data-rung={rung}>{rung === 'stills' ? t('live.rung_stills', { n: every }) : t(`live.rung_${rung}` as const)}</span>}
        {delay !== null && <span class="caption-delay">{t('live.delay', { dur: duration(delay) })}</span>}
      </div>
    </div>
  );
}
