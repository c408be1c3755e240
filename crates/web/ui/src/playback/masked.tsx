// The past of a camera that has masks, for whoever may not play its recordings, and of one whose codec this browser cannot play: films that the box
// makes while they are watched, covered where they must be, and single pictures of a moment.

import { useEffect, useRef, useState } from 'preact/hooks';
import { serverNow } from '../api';
import { t, type TextKey } from '../i18n';
import { Icon } from '../parts/icon';
import { clockSeconds, date, dayBounds, type Day, type Ms } from '../time';
import type { Camera, StreamName } from '../types';
import { FilmPlayer, type FilmState } from './film';
import { Glimpsed } from './glimpsed';
import { covered, type Span } from './spans';
import { Timeline } from './timeline';
import { useMarks } from './use-marks';
import { useSpans } from './use-spans';

interface Props {
  camera: Camera;
  day: Day;
  zone: string;
  start: Ms | null;
  onWall: (wall: Ms) => void;
  /** Why it is a film that the box makes. */
  why: string;
  stream: StreamName;
}

/** The newest pictures are still on their way to the disk. */
const BEHIND: Ms = 15_000;
const SPEEDS = [1, 2, 4];

/** What is said instead of a picture. */
const SAID: Partial<Record<FilmState['status'], TextKey>> = { full: 'play.film_full', failed: 'play.failed' };

export function Masked({ camera, day, zone, start, onWall, why, stream }: Props) {
  const [from, end] = dayBounds(day, zone);
  const within = (wall: Ms) => Math.max(from, Math.min(wall, end - 1000, serverNow() - BEHIND));
  const [still, setStill] = useState<Ms>(() => within(start ?? end));
  const [broken, setBroken] = useState(false);
  const [film, setFilm] = useState<FilmState>({ status: 'idle', wall: null });
  const [speed, setSpeed] = useState(1);
  const video = useRef<HTMLVideoElement>(null);
  const player = useRef<FilmPlayer | null>(null);
  const spans = useSpans(camera, day, zone).data;
  const recorded = useRef<readonly Span[]>([]);
  recorded.current = spans?.[stream] ?? [];
  useEffect(() => {
    if (!video.current || !FilmPlayer.possible()) return;
    const later = (wall: Ms) => recorded.current.find((span) => span.from > wall)?.from ?? null;
    const made = new FilmPlayer(video.current, () => serverNow(), later, setFilm);
    player.current = made;
    return () => made.close();
  }, []);
  const moves = film.status === 'playing' || film.status === 'paused' || film.status === 'loading' || film.status === 'end';
  const wall = film.wall ?? still;
  const said = SAID[film.status];
  useEffect(() => onWall(wall), [wall]);
  useEffect(() => {
    // The picture below what is said is of the moment that is told.
    if (said && film.wall !== null) setStill(film.wall);
  }, [film.status]);

  const [scrub, setScrub] = useState<Ms | null>(null);
  const cases = useMarks(camera.id, day, zone);

  const jumpTo = (at: Ms) => {
    const to = within(at);
    setScrub(null);
    const playing = film.status === 'playing' || film.status === 'loading';
    setBroken(false);
    setStill(to);
    player.current?.stop();
    if (playing) play(to);
  };
  const jump = (by: Ms) => jumpTo(wall + by);
  const play = (at: Ms) => player.current?.start(camera.id, stream, at);
  const toggle = () => {
    if (film.status === 'playing' || film.status === 'loading') player.current?.pause();
    else if (film.status === 'paused') player.current?.resume();
    // Behind its end nothing is recorded: the last seconds once more.
    else play(film.status === 'end' ? within(wall - 10_000) : wall);
  };
  const changeSpeed = (value: number) => {
    setSpeed(value);
    player.current?.setRate(value);
  };
  const at = new Date(still).toISOString();
  const cursor = scrub ?? wall;
  const when = `${date(cursor, zone)} ${clockSeconds(cursor, zone)}`;
  const going = film.status === 'playing' || film.status === 'loading';
  return (
    <div class="masked" data-masked={camera.id} data-film={film.status} data-wall={Math.round(wall)}>
      <p class="message"><Icon name="warn" />{why}</p>
      <div class="stage">
        <div class="picture large">
          {!moves && (
            <img class="single" src={`/api/v1/cameras/${encodeURIComponent(camera.id)}/picture.jpg?at=${encodeURIComponent(at)}`} alt={`${camera.name} ${when}`} onLoad={() => setBroken(false)} onError={() => setBroken(true)} />
          )}
          <video ref={video} style={{ display: moves ? '' : 'none' }} disablePictureInPicture aria-label={camera.name} />
          {scrub !== null && spans && <Glimpsed camera={camera.id} zone={zone} at={scrub} recorded={covered(spans[stream], scrub)} />}
          {!moves && broken && <div class="cover" role="status"><Icon name="off" /><p class="cover-text">{t('play.beside_none')}</p></div>}
          {film.status === 'loading' && <div class="cover soft"><span class="spinner" aria-hidden="true" /><p class="cover-text">{t('play.loading')}</p></div>}
          {said && <div class="cover soft" role="status"><Icon name="warn" /><p class="cover-text">{t(said)}</p></div>}
        </div>
      </div>
      <p class="tally" role="status">{when}{film.status === 'end' && <> · {t('play.end')}</>}</p>
      {spans && <Timeline mode="day" from={from} to={end} origin={from} end={end} spans={spans[stream]} cases={cases} cursor={cursor} now={serverNow()} zone={zone} onScrub={setScrub} onCommit={jumpTo} />}
      <div class="keys">
        <div class="jumps">
          <button type="button" class="button jump" aria-label={t('play.back_60')} onClick={() => jump(-60_000)}><Icon name="back" />{t('play.min_1')}</button>
          <button type="button" class="button jump" aria-label={t('play.back_10')} onClick={() => jump(-10_000)}><Icon name="back" />{t('play.sec_10')}</button>
          {FilmPlayer.possible() && (
            <button type="button" class="button primary play" aria-label={t(going ? 'play.pause' : 'play.play')} onClick={toggle}><Icon name={going ? 'pause' : 'play'} /></button>
          )}
          <button type="button" class="button jump" aria-label={t('play.forward_10')} onClick={() => jump(10_000)}>{t('play.sec_10')}<Icon name="forward" /></button>
          <button type="button" class="button jump" aria-label={t('play.forward_60')} onClick={() => jump(60_000)}>{t('play.min_1')}<Icon name="forward" /></button>
        </div>
        {FilmPlayer.possible() && (
          <div class="fine">
            <div class="choice words" role="group" aria-label={t('play.speed')}>
              {SPEEDS.map((n) => (
                <button key={n} type="button" aria-pressed={speed === n} aria-label={t('play.speed_set', { n })} onClick={() => changeSpeed(n)}>{n}×</button>
              ))}
            </div>
          </div>
        )}
      </div>
    </div>
  );
}
