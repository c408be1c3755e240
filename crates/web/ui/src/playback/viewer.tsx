// The recordings of one camera and day: picture, time, the two strips, the keys.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { serverNow } from '../api';
import { t, type TextKey } from '../i18n';
import { Icon } from '../parts/icon';
import { ExportForm } from '../parts/export-form';
import { Keep } from '../parts/keep';
import { Failure, Loading } from '../parts/notice';
import { codecName } from '../player/support';
import { mayExport } from '../roles';
import { go, note, paths } from '../router';
import { saveSnapshot } from '../snapshot';
import { clockSeconds, date, dayBounds, type Day, type Ms } from '../time';
import type { Camera, StreamName } from '../types';
import { ClipPlayer, type ClipState } from './clip-player';
import { DownloadRange } from './download-range';
import { FilmPlayer } from './film';
import { GapList } from './gap-list';
import { Glimpsed } from './glimpsed';
import { Keys } from './keys';
import { MarkKeys } from './mark-keys';
import { Masked } from './masked';
import { Second } from './second';
import { ZOOMS } from './scale';
import { chooseStream } from './stream-choice';
import { covered, nearest } from './spans';
import { Timeline } from './timeline';
import { useMarks } from './use-marks';
import { loadDay, useSpans, type DaySpans } from './use-spans';

interface Props {
  camera: Camera;
  day: Day;
  zone: string;
  start: Ms | null;
  onWall: (wall: Ms) => void;
  /** Those that can be watched beside it. */
  others: Camera[];
}

const DEFAULT_ZOOM = 2;
const SAY_MS = 6000;

export function Viewer({ camera, day, zone, start, onWall, others }: Props) {
  const spans = useSpans(camera, day, zone);
  if (!spans.data) return spans.error ? <Failure error={spans.error} again={spans.again} /> : <Loading />;
  return <Recordings camera={camera} day={day} zone={zone} start={start} onWall={onWall} others={others} spans={spans.data} />;
}

function Recordings({ camera, day, zone, start, onWall, others, spans: fresh }: Props & { spans: DaySpans }) {
  const [wanted, setWanted] = useState<StreamName>('main');
  const [broken, setBroken] = useState<StreamName[]>([]);
  const [extra, setExtra] = useState<DaySpans | null>(null);
  const all = extra ?? fresh;
  useEffect(() => setExtra(null), [fresh]);

  const choice = chooseStream(camera, all, wanted, broken);
  const spans = all[choice.stream];
  const [origin, end] = dayBounds(day, zone);
  const now = serverNow();
  const cases = useMarks(camera.id, day, zone);

  const video = useRef<HTMLVideoElement>(null);
  const [player, setPlayer] = useState<ClipPlayer | null>(null);
  const [state, setState] = useState<ClipState>({ status: 'idle', wall: null, playing: false });
  const [scrub, setScrub] = useState<Ms | null>(null);
  /** The finger is, or was lifted, where no film is loaded. */
  const [outside, setOutside] = useState(false);
  const [speed, setSpeed] = useState(1);
  const [zoom, setZoom] = useState(DEFAULT_ZOOM);
  const [moved, setMoved] = useState(false);
  const [said, setSaid] = useState<TextKey | null>(null);
  const [beside, setBeside] = useState('');
  const second = others.find((one) => one.id === beside);

  // First: the moment asked for; else the newest minute of today, the first picture of another day.
  const first = useMemo(() => {
    const newest = spans[spans.length - 1]?.to ?? null;
    if (start !== null) return start;
    if (newest === null) return origin;
    return now < end ? Math.max(spans[0]?.from ?? origin, newest - 60_000) : spans[0]?.from ?? origin;
    // Only the first answer counts.
  }, []);
  const cursor = scrub ?? state.wall ?? first;

  const converted = !choice.playable && spans.length > 0 && FilmPlayer.possible();
  const goOn = useRef<(wall: Ms) => void>(() => undefined);
  useEffect(() => {
    if (!video.current) return;
    const made = new ClipPlayer(video.current, setState, (wall) => goOn.current(wall));
    setPlayer(made);
    return () => made.close();
  }, [converted]);

  const source = { camera: camera.id, stream: choice.stream, spans, origin };
  goOn.current = (wall) => {
    // The day's list is some seconds old: look once for what was recorded since.
    const stop = new AbortController();
    loadDay(camera, day, zone, stop.signal).then((newer) => {
      setExtra(newer);
      const later = newer[choice.stream];
      player?.use({ ...source, spans: later });
      const next = later.find((span) => span.to > wall + 1000);
      if (next) player?.seek(Math.max(next.from, wall), true, 0);
      else player?.finish();
    }, () => player?.finish());
  };

  const ready = choice.playable && spans.length > 0;
  useEffect(() => {
    player?.use(source);
  }, [player, spans, choice.stream]);
  useEffect(() => {
    if (!player || !ready) return;
    player.use(source);
    player.seek(state.wall ?? first, state.wall === null ? true : state.playing);
  }, [player, ready, choice.stream]);
  useEffect(() => {
    if (state.wall !== null) onWall(state.wall);
  }, [state.wall]);
  useEffect(() => {
    // Said, and then out of the way of the strips.
    if (!moved) return;
    const timer = window.setTimeout(() => setMoved(false), SAY_MS);
    return () => window.clearTimeout(timer);
  }, [moved]);
  useEffect(() => {
    // The film is there, or will not come.
    if (scrub === null && state.status !== 'loading') setOutside(false);
  }, [scrub, state.status]);
  const failed = state.status === 'failed';
  useEffect(() => {
    // Whatever the browser said beforehand: what does not play is not tried again on this page.
    if (failed && choice.stream === 'main' && camera.recorded.sub && video.current?.error) setBroken(['main']);
  }, [failed]);

  const seek = (at: Ms, play?: boolean) => {
    setScrub(null);
    setSaid(null);
    setMoved(!covered(spans, at) && nearest(spans, at) !== null);
    const went = player?.seek(Math.min(Math.max(at, origin), end - 1), play);
    if (went != null) note(paths.playback(camera.id, went));
  };
  const drag = (at: Ms) => {
    setScrub(at);
    setOutside(ready && player !== null && !player.scrub(at));
  };
  const resume = useRef(false);
  const onScrub = (at: Ms) => {
    if (scrub === null) resume.current = state.playing;
    drag(at);
  };
  const onCommit = (at: Ms) => seek(at, scrub === null ? state.playing : resume.current);

  const fps = (choice.stream === 'main' ? camera.streams.main : camera.streams.sub)?.fps || 15;
  const changeSpeed = (value: number) => {
    setSpeed(value);
    player?.setRate(value);
  };
  const snapshot = async () => {
    const done = video.current ? await saveSnapshot(video.current, camera.id, cursor, zone) : false;
    setSaid(done ? 'live.shown' : 'live.snapshot_failed');
  };
  const half = (ZOOMS[zoom] ?? 1_800_000) / 2;
  const message: TextKey | null = said
    ?? (spans.length === 0 ? 'play.none_day' : state.status === 'end' ? 'play.end' : moved ? 'play.none_here' : choice.note);

  // What this browser cannot play the box converts.
  if (converted) {
    return (
      <div class="viewer" data-status="film" data-stream={choice.stream}>
        <Masked camera={camera} day={day} zone={zone} start={state.wall ?? start} onWall={onWall} stream={choice.stream} why={t('play.converted', { codec: codecName(choice.codec ?? '') })} />
        <GapList gaps={all.gaps} zone={zone} />
        <Keep camera={camera.id} zone={zone} cursor={cursor} />
        <DownloadRange camera={camera} spans={all} day={day} zone={zone} cursor={cursor} />
        {mayExport() && <ExportForm camera={camera.id} stream={choice.stream} day={day} zone={zone} cursor={cursor} />}
      </div>
    );
  }
  return (
    <div class="viewer" data-status={state.status} data-stream={choice.stream} data-wall={state.wall === null ? '' : Math.round(state.wall)}>
      <div class="picture large">
        <video ref={video} disablePictureInPicture aria-label={camera.name} onClick={() => (state.playing ? player?.pause() : player?.play())} />
        {spans.length === 0 && <div class="cover"><Icon name="off" /><p class="cover-text">{t('play.none_day')}</p></div>}
        {spans.length > 0 && !choice.playable && (
          <div class="cover"><Icon name="warn" /><p class="cover-text">{t('play.none_codec', { codec: codecName(choice.codec ?? '') })}</p></div>
        )}
        {outside && <Glimpsed camera={camera.id} zone={zone} at={scrub} recorded={covered(spans, cursor)} />}
        {state.status === 'loading' && scrub === null && <div class="cover soft"><span class="spinner" aria-hidden="true" /><p class="cover-text">{t('play.loading')}</p></div>}
        {failed && ready && (
          <div class="cover">
            <Icon name="warn" /><p class="cover-text">{t('play.failed')}</p>
            <button type="button" class="button" onClick={() => seek(cursor)}>{t('act.retry')}</button>
          </div>
        )}
      </div>
      {second && <Second key={second.id} camera={second} day={day} zone={zone} lead={{ wall: cursor, playing: state.playing && scrub === null, speed }} />}

      <p class="now" aria-live="off"><strong>{clockSeconds(cursor, zone)}</strong> <span>{date(cursor, zone)}</span></p>
      {message && <p class="message" role="status">{t(message, { codec: codecName(choice.codec ?? '') })}</p>}

      <Timeline mode="day" from={origin} to={end} origin={origin} end={end} spans={spans} cases={cases} cursor={cursor} now={now} zone={zone} onScrub={onScrub} onCommit={onCommit} />
      <div class="near">
        <button type="button" class="button square" aria-label={t('play.zoom_out')} disabled={zoom === 0} onClick={() => setZoom(zoom - 1)}><Icon name="minus" /></button>
        <Timeline mode="near" from={cursor - half} to={cursor + half} origin={origin} end={end} spans={spans} cases={cases} cursor={cursor} now={now} zone={zone} onScrub={onScrub} onCommit={onCommit} />
        <button type="button" class="button square" aria-label={t('play.zoom_in')} disabled={zoom === ZOOMS.length - 1} onClick={() => setZoom(zoom + 1)}><Icon name="plus" /></button>
      </div>
      <p class="legend" aria-hidden="true"><span class="swatch recorded" />{t('play.legend_recorded')}<span class="swatch gap" />{t('play.legend_gap')}{cases.length > 0 && <><span class="swatch mark" />{t('cases.title')}</>}</p>
      {cases.length > 0 && <MarkKeys cases={cases} cursor={cursor} zone={zone} disabled={!ready} onJump={(at) => seek(at)} />}

      <Keys
        disabled={!ready} playing={state.playing} speed={speed}
        onPlay={() => (state.playing ? player?.pause() : state.status === 'failed' ? seek(cursor, true) : player?.play())}
        onJump={(ms) => seek(cursor + ms)} onStep={(by) => player?.step(by, fps)} onSpeed={changeSpeed}
      />
      <div class="actions">
        <button type="button" class="button" onClick={() => go(paths.camera(camera.id))}><Icon name="live" />{t('play.live')}</button>
        <button type="button" class="button" disabled={!ready} onClick={() => void snapshot()}><Icon name="photo" />{t('act.snapshot')}</button>
        {camera.recorded.main && camera.recorded.sub && (
          <div class="choice words" role="group" aria-label={t('stream.choice')}>
            <button type="button" aria-pressed={choice.stream === 'main'} onClick={() => setWanted('main')}>{t('stream.main_short')}</button>
            <button type="button" aria-pressed={choice.stream === 'sub'} onClick={() => setWanted('sub')}>{t('stream.sub_short')}</button>
          </div>
        )}
      </div>
      {others.length > 0 && (
        <label class="field beside">
          <span class="label">{t('play.beside')}</span>
          <select name="beside" value={beside} onChange={(event) => setBeside(event.currentTarget.value)}>
            <option value="">{t('play.beside_no')}</option>
            {others.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
          </select>
        </label>
      )}
      <GapList gaps={all.gaps} zone={zone} />
      <Keep camera={camera.id} zone={zone} cursor={cursor} />
      <DownloadRange camera={camera} spans={all} day={day} zone={zone} cursor={cursor} />
      {mayExport() && <ExportForm camera={camera.id} stream={choice.stream} day={day} zone={zone} cursor={cursor} />}
    </div>
  );
}
