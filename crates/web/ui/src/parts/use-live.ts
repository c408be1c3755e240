// Joins the live session and its players to the page: which `<video>` shows which channel, and what each of them says.

import { useEffect, useRef, useState } from 'preact/hooks';
import { loadSession } from '../api';
import { LivePlayer, type PlayerState } from '../player/player';
import { LiveSession, type LiveSink, type SessionStatus } from '../player/session';

export interface Channel {
  player: PlayerState;
  /** The camera's state as the socket last said it; null while it said nothing. */
  link: string | null;
  /** Which stream arrives. */
  stream: string | null;
}

const FRESH: Channel = { player: { status: 'waiting', delay: null, codec: null, width: 0, height: 0 }, link: null, stream: null };

export interface Live {
  status: SessionStatus;
  channels: Channel[];
  /** Gives a channel its `<video>`. */
  attach: (ch: number) => (video: HTMLVideoElement | null) => void;
  /** After a tap on a picture the browser would not start. */
  play: (ch: number) => void;
}

/** `path` is asked again when it changes; `count` channels. */
export function useLive(path: string, multiplexed: boolean, count: number): Live {
  const videos = useRef<(HTMLVideoElement | null)[]>([]);
  const refs = useRef<((video: HTMLVideoElement | null) => void)[]>([]);
  const players = useRef<LivePlayer[]>([]);
  const [status, setStatus] = useState<SessionStatus>('connecting');
  const [channels, setChannels] = useState<Channel[]>([]);

  useEffect(() => {
    setChannels(Array.from({ length: count }, () => FRESH));
    const change = (ch: number, part: Partial<Channel>) => {
      setChannels((all) => all.map((one, i) => (i === ch ? { ...one, ...part } : one)));
    };
    const made: LivePlayer[] = [];
    const sinks: LiveSink[] = [];
    for (let ch = 0; ch < count; ch += 1) {
      const video = videos.current[ch];
      if (!video) continue;
      const player = new LivePlayer(video, (state) => change(ch, { player: state }));
      made[ch] = player;
      sinks[ch] = {
        format: (message) => {
          change(ch, { stream: message.stream, link: 'ok' });
          player.format(message);
        },
        media: (bytes) => player.media(bytes),
        state: (link) => change(ch, { link }),
      };
    }
    players.current = made;
    const live = new LiveSession({
      path, multiplexed, sinks, status: setStatus,
      // The socket cannot say why it was refused; the session call can.
      refused: () => void loadSession().catch(() => undefined),
    });
    return () => {
      live.close();
      for (const player of made) player?.close();
      players.current = [];
    };
  }, [path, multiplexed, count]);

  const attach = (ch: number) => (refs.current[ch] = refs.current[ch] ?? ((video) => {
    videos.current[ch] = video;
  }));
  return { status, channels, attach, play: (ch) => players.current[ch]?.play() };
}

/** What to write over a picture that is not (or not only) playing; null while all is well. */
export type Cover = { key: 'camera'; link: string } | { key: 'retrying' | 'waiting' | 'stalled' | 'tap' | 'failed' | 'unsupported' | 'no_mse' };

export function coverOf(status: SessionStatus, channel: Channel | undefined, health: string | undefined, hasMse: boolean): Cover | null {
  if (!hasMse) return { key: 'no_mse' };
  const player = channel?.player.status ?? 'waiting';
  if (player === 'unsupported') return { key: 'unsupported' };
  // The socket's word is newer than the health page's, except that it may have said nothing yet.
  const link = channel?.link ?? health ?? 'connecting';
  if (status === 'retrying') return { key: 'retrying' };
  if (link !== 'ok' && player !== 'playing') return { key: 'camera', link };
  if (player === 'playing') return null;
  return { key: player };
}
