// Another camera's recording of the same moment, kept beside the first.

import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n';
import { Icon } from '../parts/icon';
import { dayBounds, type Day } from '../time';
import type { Camera } from '../types';
import { ClipPlayer, type ClipState } from './clip-player';
import { follow, type Lead } from './follow';
import { covered } from './spans';
import { chooseStream } from './stream-choice';
import { useSpans } from './use-spans';

interface Props {
  camera: Camera;
  day: Day;
  zone: string;
  lead: Lead;
}

export function Second({ camera, day, zone, lead }: Props) {
  const { data } = useSpans(camera, day, zone);
  const video = useRef<HTMLVideoElement>(null);
  const player = useRef<ClipPlayer | null>(null);
  const [state, setState] = useState<ClipState>({ status: 'idle', wall: null, playing: false });

  // The small picture: two large ones at once are more than many phones decode.
  const choice = data && chooseStream(camera, data, 'sub', []);
  const spans = data && choice ? data[choice.stream] : [];
  const recorded = choice !== null && choice.playable && covered(spans, lead.wall);

  useEffect(() => {
    if (!video.current) return;
    const made = new ClipPlayer(video.current, setState, () => made.finish());
    player.current = made;
    return () => made.close();
  }, []);
  useEffect(() => {
    if (choice) player.current?.use({ camera: camera.id, stream: choice.stream, spans, origin: dayBounds(day, zone)[0] });
  }, [spans, choice?.stream]);
  useEffect(() => {
    const own = player.current;
    if (!own || state.status === 'loading' || state.status === 'failed') return;
    const move = follow(lead, state.status === 'idle' || state.status === 'end' ? null : state.wall, recorded);
    if (move.do === 'seek') own.seek(move.to, lead.playing, 0);
    else if (move.do === 'wait') own.pause();
    else {
      if (move.do === 'rate') own.setRate(move.rate);
      if (lead.playing && !state.playing) own.play();
      else if (!lead.playing && state.playing) own.pause();
    }
  }, [lead.wall, lead.playing, lead.speed, recorded, state.status]);

  return (
    <div class="picture large second" data-second={camera.id} data-wall={state.wall === null ? '' : Math.round(state.wall)}>
      <video ref={video} disablePictureInPicture aria-label={camera.name} />
      <p class="second-name">{camera.name}</p>
      {data && !recorded && <div class="cover"><Icon name="off" /><p class="cover-text">{t('play.beside_none')}</p></div>}
      {recorded && state.status === 'loading' && <div class="cover soft"><span class="spinner" aria-hidden="true" /></div>}
      {recorded && state.status === 'failed' && <div class="cover"><Icon name="warn" /><p class="cover-text">{t('play.failed')}</p></div>}
    </div>
  );
}
