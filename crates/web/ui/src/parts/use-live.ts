// Joins live pictures to the page: which `<video>` shows which camera, and what each of them says.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { loadSession, session } from '../api';
import { RUNGS, type Rung } from '../player/ladder';
import type { SessionStatus } from '../player/session';
import { LiveView, type Channel, type StreamName } from '../player/view';
import { moving } from '../moving';
import { count } from '../saver';
import { useSignal } from '../signal';

export type { Channel } from '../player/view';

const FRESH: Channel = { player: { status: 'waiting', delay: null, codec: null, width: 0, height: 0 }, link: null, stream: null, rung: 'socket', still: null, refused: null, sound: 'off', full: false, converted: false, covered: false, instead: false };

/** Seconds from one single picture to the next: large, in a tile, and where data is spared. */
export const STILL_EVERY = { large: 2, tile: 5, saver: 10 };

/** `?live=hls` and the like: one rung whether it works or not, for tests and for whoever helps on the telephone. */
const FORCED: Rung | null = (() => {
  const asked = new URLSearchParams(window.location.search).get('live');
  return RUNGS.find((rung) => rung === asked) ?? null;
})();

export interface Live {
  status: SessionStatus;
  channels: Channel[];
  /** Gives a channel its `<video>`. */
  attach: (ch: number) => (video: HTMLVideoElement | null) => void;
  /** After a tap on a picture the browser would not start. */
  play: (ch: number) => void;
}

export interface Wish {
  cameras: readonly string[];
  stream: StreamName;
  grid: boolean;
  /** Single pictures only, seldom, but where something moves. */
  sparing: boolean;
  /** One camera alone: with its sound. */
  sound?: boolean;
  /** The cameras' states as the page knows them. */
  health: readonly string[];
  /** Whether something moves before each camera, as the page knows it without hearing of it. */
  moves?: readonly boolean[];
}

export function useLive({ cameras, stream, grid, sparing, sound = false, health, moves = [] }: Wish): Live {
  const videos = useRef<(HTMLVideoElement | null)[]>([]);
  const refs = useRef<((video: HTMLVideoElement | null) => void)[]>([]);
  const view = useRef<LiveView | null>(null);
  const [status, setStatus] = useState<SessionStatus>('connecting');
  const [channels, setChannels] = useState<Channel[]>([]);
  const list = cameras.join(',');

  useEffect(() => {
    setChannels(cameras.map(() => FRESH));
    const made = new LiveView({
      cameras, stream, grid, videos: videos.current, status: setStatus, used: count,
      changed: (ch, part) => setChannels((all) => all.map((one, i) => (i === ch ? { ...one, ...part } : one))),
      // What was refused cannot say why; the session call can.
      refused: () => loadSession().then(() => session.value !== null, () => false),
      only: FORCED, sparing, sound,
      webrtc: session.value?.webrtc === true,
      everyMs: (sparing ? STILL_EVERY.saver : grid ? STILL_EVERY.tile : STILL_EVERY.large) * 1000,
    });
    view.current = made;
    return () => {
      made.close();
      view.current = null;
    };
  }, [list, stream, grid, sparing]);

  // Before the paint, still in the tap that asked for it.
  useLayoutEffect(() => view.current?.sound(sound), [sound]);
  const heard = useSignal(moving);
  useEffect(() => cameras.forEach((camera, ch) => view.current?.stir(ch, heard.has(camera) || moves[ch] === true)));
  useEffect(() => health.forEach((link, ch) => view.current?.health(ch, link)));

  const attach = (ch: number) => (refs.current[ch] = refs.current[ch] ?? ((video) => {
    videos.current[ch] = video;
  }));
  return { status, channels, attach, play: (ch) => view.current?.play(ch) };
}

/** What to write over a picture that is not (or not only) playing; null while all is well. */
export type Cover = { key: 'camera'; link: string } | { key: 'retrying' | 'waiting' | 'stalled' | 'tap' | 'failed' | 'unsupported' | 'no_still' };

export function coverOf(status: SessionStatus, channel: Channel | undefined, health: string | undefined): Cover | null {
  const player = channel?.player.status ?? 'waiting';
  const rung = channel?.rung ?? 'socket';
  if (player === 'unsupported') return { key: 'unsupported' };
  // The socket's word is newer than the health page's, except that it may have said nothing yet; the other ways have no word.
  const link = (rung === 'socket' ? channel?.link : null) ?? health ?? 'connecting';
  if (rung === 'socket' && status === 'retrying') return { key: 'retrying' };
  if (link !== 'ok' && player !== 'playing') return { key: 'camera', link };
  if (player === 'playing') return null;
  // The last single picture stands until what comes next moves.
  if (channel?.still && player === 'waiting') return null;
  if (rung === 'stills' && player === 'failed') return { key: 'no_still' };
  return { key: player };
}
