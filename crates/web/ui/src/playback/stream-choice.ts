// Which recorded stream to play: what was asked for, unless this browser cannot play it or nothing of it was recorded. Says why.

import type { TextKey } from '../i18n';
import { canPlayFile } from '../player/support';
import type { Camera, StreamName } from '../types';
import type { DaySpans } from './use-spans';

export interface Choice {
  stream: StreamName;
  playable: boolean;
  /** Codec that could not be played, where that mattered. */
  codec: string | null;
  note: TextKey | null;
}

export function chooseStream(camera: Camera, spans: DaySpans, wanted: StreamName, broken: readonly StreamName[]): Choice {
  const codecOf = (stream: StreamName) => camera.streams[stream]?.codec ?? null;
  const plays = (stream: StreamName) => !broken.includes(stream) && canPlayFile(codecOf(stream));
  const has = (stream: StreamName) => spans[stream].length > 0;
  const other: StreamName = wanted === 'main' ? 'sub' : 'main';
  if (has(wanted) && plays(wanted)) return { stream: wanted, playable: true, codec: null, note: null };
  if (has(other) && plays(other)) {
    const note: TextKey | null = wanted === 'sub' ? null : has(wanted) ? 'play.sub_used' : 'play.main_missing';
    return { stream: other, playable: true, codec: codecOf(wanted), note };
  }
  const stream = has(wanted) ? wanted : has(other) ? other : wanted;
  return { stream, playable: !has(stream), codec: codecOf(stream), note: null };
}
