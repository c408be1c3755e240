// One camera large and live: main stream, or the sub stream where main cannot play; snapshot; the way back in time.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { serverNow } from '../api';
import { MakeCase } from '../cases/make-case';
import { t } from '../i18n';
import { State } from '../parts/health';
import { Icon } from '../parts/icon';
import { Link } from '../parts/link';
import { Empty, Failure, Loading } from '../parts/notice';
import { Picture } from '../parts/picture';
import { coverOf, useLive } from '../parts/use-live';
import { codecName } from '../player/support';
import { usePoll } from '../poll';
import { may, mayListen } from '../roles';
import { go, paths } from '../router';
import { saver } from '../saver';
import { saveSnapshot } from '../snapshot';
import type { Camera, Cameras, StreamName } from '../types';

/** Who goes back in time has just seen something: it began a little earlier. */
const BEFORE_MS = 10_000;

export function CameraPage({ id }: { id: string }) {
  const { data, error, again } = usePoll<Cameras>('cameras', 5000);
  if (!data) return error ? <Failure error={error} again={again} /> : <Loading />;
  const at = data.cameras.findIndex((camera) => camera.id === id);
  const camera = data.cameras[at];
  if (!camera) {
    return <Empty icon="off" title={t('err.camera')}><Link to={paths.live} class="button">{t('live.back')}</Link></Empty>;
  }
  const previous = data.cameras[(at + data.cameras.length - 1) % data.cameras.length];
  const next = data.cameras[(at + 1) % data.cameras.length];
  return <Large key={id} camera={camera} zone={data.site.timezone} previous={previous} next={next} />;
}

interface Props {
  camera: Camera;
  zone: string;
  previous: Camera | undefined;
  next: Camera | undefined;
}

function Large({ camera, zone, previous, next }: Props) {
  const [wanted, setWanted] = useState<StreamName>(saver.value && camera.streams.sub !== null ? 'sub' : 'main');
  const [fellBack, setFellBack] = useState<string | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const [making, setMaking] = useState(false);
  const [hears, setHears] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const health = (wanted === 'main' ? camera.streams.main : camera.streams.sub) ?? camera.streams.main;
  // Heard is what is seen: the sound of the same stream.
  const speaks = mayListen() && camera.sound?.[wanted] === true;
  const live = useLive({ cameras: [camera.id], stream: wanted, grid: false, sparing: false, sound: hears && speaks, health: [health.link] });
  const channel = live.channels[0];
  const sound = channel?.sound ?? 'off';
  // What the box converts comes without sound.
  const converted = channel?.converted === true;
  const cover = coverOf(live.status, channel, health.link);

  const hasSub = camera.streams.sub !== null;
  const refused = channel?.refused ?? null;
  // The box says at once that it has another one, a player only after it was given what it cannot play.
  const other = refused ?? (channel?.instead ? codecName(camera.streams.main.codec ?? '') : null);
  useEffect(() => {
    if (other === null || wanted !== 'main' || !hasSub || fellBack !== null) return;
    setFellBack(other);
    setWanted('sub');
  }, [other, wanted, hasSub, fellBack]);

  useEffect(() => {
    if (sound === 'unsupported' || sound === 'failed' || converted) setHears(false);
  }, [sound, converted]);

  // Before the paint, so that a key pressed the moment the picture is seen is not lost.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === 'Escape' && !document.fullscreenElement) go(paths.live);
      else if (event.key === 'ArrowLeft' && previous) go(paths.camera(previous.id));
      else if (event.key === 'ArrowRight' && next) go(paths.camera(next.id));
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [previous, next]);

  const picturedAt = () => serverNow() - (channel?.player.delay ?? 0) * 1000;
  const snapshot = async () => {
    const shown = frame.current?.querySelector<HTMLImageElement | HTMLVideoElement>('img.single') ?? frame.current?.querySelector('video');
    const done = shown ? await saveSnapshot(shown, camera.id, picturedAt(), zone) : false;
    setSaid(t(done ? 'live.shown' : 'live.snapshot_failed'));
  };
  const fullscreen = () => {
    const box = frame.current;
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (box?.requestFullscreen) void box.requestFullscreen().catch(() => undefined);
    else {
      // iPhone gives the whole screen only to the video itself.
      const video = box?.querySelector('video') as (HTMLVideoElement & { webkitEnterFullscreen?: () => void }) | null | undefined;
      video?.webkitEnterFullscreen?.();
    }
  };

  return (
    <section class="camera" data-camera={camera.id} data-stream={channel?.stream ?? ''} data-sound={sound} data-cover={cover ? (cover.key === 'camera' ? cover.link : cover.key) : 'none'}>
      <div class="bar">
        <Link to={paths.live} class="button plain square" label={t('live.back')}><Icon name="back" /></Link>
        <h1>{camera.name}</h1>
        <State link={channel?.link ?? health.link} />
      </div>
      <div class="stage" ref={frame}>
        <Picture name={camera.name} attach={live.attach(0)} channel={channel} cover={cover} large />
        {cover?.key === 'tap' && <button type="button" class="hit" aria-label={t('live.tap')} onClick={() => live.play(0)} />}
      </div>
      {fellBack !== null && refused === null && <p class="message"><Icon name="warn" />{t('live.fallback_sub', { codec: fellBack })}</p>}
      {refused !== null && channel?.rung === 'stills' && <p class="message"><Icon name="warn" />{t('live.stills_codec', { codec: refused })}</p>}
      {hears && sound === 'waiting' && <p class="message" role="status">{t('sound.waiting')}</p>}
      {sound === 'unsupported' && <p class="message" role="status"><Icon name="warn" />{t('sound.unsupported')}</p>}
      {sound === 'failed' && <p class="message" role="status"><Icon name="warn" />{t('sound.failed')}</p>}
      {channel?.covered && <p class="message"><Icon name="warn" />{t('live.covered')}</p>}
      {channel?.converted && !channel.covered && channel.rung !== 'stills' && <p class="message" data-converted><Icon name="warn" />{t('live.converted')}</p>}
      {channel?.full && channel.rung === 'stills' && <p class="message" data-full><Icon name="warn" />{t('live.stills_full')}</p>}
      {said !== null && <p class="message" role="status">{said}</p>}
      <div class="actions">
        <button type="button" class="button primary" onClick={() => void snapshot()}><Icon name="photo" />{t('act.snapshot')}</button>
        {speaks && !converted && channel?.rung === 'socket' && (
          <button type="button" class="button" onClick={() => setHears(!hears)}><Icon name={hears ? 'sound' : 'silent'} />{t(hears ? 'sound.off' : 'sound.on')}</button>
        )}
        {may('playback') && (
          <button type="button" class="button" onClick={() => go(paths.playback(camera.id, picturedAt() - BEFORE_MS))}><Icon name="playback" />{t('nav.playback')}</button>
        )}
        {may('cases') && (
          <button type="button" class="button" aria-expanded={making} onClick={() => setMaking(!making)}><Icon name="cases" />{t('make.title')}</button>
        )}
        <button type="button" class="button" onClick={fullscreen}><Icon name="full" />{t('act.fullscreen')}</button>
      </div>
      {making && <MakeCase camera={camera.id} onClose={() => setMaking(false)} />}
      <div class="actions spread">
        {hasSub && (
          <div class="choice words" role="group" aria-label={t('stream.choice')}>
            <button type="button" aria-pressed={wanted === 'main'} onClick={() => { setFellBack(null); setWanted('main'); }}>{t('stream.main_short')}</button>
            <button type="button" aria-pressed={wanted === 'sub'} onClick={() => setWanted('sub')}>{t('stream.sub_short')}</button>
          </div>
        )}
        {previous && next && previous.id !== camera.id && (
          <div class="pair">
            <Link to={paths.camera(previous.id)} class="button square" label={`${t('live.previous')}: ${previous.name}`}><Icon name="back" /></Link>
            <Link to={paths.camera(next.id)} class="button square" label={`${t('live.next')}: ${next.name}`}><Icon name="forward" /></Link>
          </div>
        )}
      </div>
    </section>
  );
}
