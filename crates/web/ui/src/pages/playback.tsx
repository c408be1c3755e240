// Xem lại: which camera, which day; the viewer below is another part.

import { useEffect, useState } from 'preact/hooks';
import { serverNow } from '../api';
import { t } from '../i18n';
import { Icon } from '../parts/icon';
import { Empty, Failure, Loading } from '../parts/notice';
import { DatePick } from '../parts/date-pick';
import { usePoll } from '../poll';
import { Masked } from '../playback/masked';
import { Viewer } from '../playback/viewer';
import { go, note, paths } from '../router';
import { dayOf, shiftDay, type Day, type Ms } from '../time';
import type { Camera, Cameras } from '../types';

export function PlaybackPage({ id, at }: { id: string | null; at: Ms | null }) {
  const { data, error, again } = usePoll<Cameras>('cameras', 15_000);
  if (!data) return error ? <Failure error={error} again={again} /> : <Loading />;
  if (data.cameras.length === 0) {
    return <Empty icon="playback" title={t('state.no_cameras')}><p>{t('state.no_cameras_todo')}</p></Empty>;
  }
  const camera = id === null ? data.cameras[0] : data.cameras.find((one) => one.id === id);
  if (!camera) return <Empty icon="off" title={t('err.camera')} />;
  return <Chosen camera={camera} cameras={data.cameras} zone={data.site.timezone} at={at} />;
}

function Chosen({ camera, cameras, zone, at }: { camera: Camera; cameras: Camera[]; zone: string; at: Ms | null }) {
  const today = dayOf(serverNow(), zone);
  const [day, setDay] = useState<Day>(at === null ? today : dayOf(at, zone));
  // Where the viewer begins; it keeps its own time from then on.
  const [start, setStart] = useState<Ms | null>(at);
  const [wall, setWall] = useState<Ms | null>(at);

  useEffect(() => {
    if (at === null) return;
    setDay(dayOf(at, zone));
    setStart(at);
  }, [at, zone]);

  const chooseCamera = (id: string) => {
    setStart(wall);
    go(paths.playback(id, wall), 'replace');
  };
  const chooseDay = (next: Day) => {
    setDay(next);
    setStart(null);
    setWall(null);
    note(paths.playback(camera.id));
  };
  return (
    <section class="playback" data-camera={camera.id}>
      <div class="bar page">
        <h1>{t('play.title')}</h1>
      </div>
      <div class="pick">
        <label class="field">
          <span class="label">{t('play.camera')}</span>
          <select value={camera.id} onChange={(event) => chooseCamera(event.currentTarget.value)}>
            {cameras.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
          </select>
        </label>
        <div class="field">
          <span class="label">{t('play.day')}</span>
          <div class="day">
            <button type="button" class="button square" aria-label={t('play.day_previous')} onClick={() => chooseDay(shiftDay(day, -1, zone))}><Icon name="back" /></button>
            <DatePick day={day} max={today} label={t('play.day')} onPick={chooseDay} />
            <button type="button" class="button square" aria-label={t('play.day_next')} disabled={day >= today} onClick={() => chooseDay(shiftDay(day, 1, zone))}><Icon name="forward" /></button>
          </div>
        </div>
      </div>
      {camera.masked && (camera.recorded.main || camera.recorded.sub)
        ? <Masked key={`${camera.id} ${day}`} camera={camera} day={day} zone={zone} start={start} onWall={setWall} why={t('play.masked')} stream={camera.recorded.main ? 'main' : 'sub'} />
        : camera.recorded.main || camera.recorded.sub
        ? <Viewer key={`${camera.id} ${day}`} camera={camera} day={day} zone={zone} start={start} onWall={setWall} others={cameras.filter((one) => one.id !== camera.id && !one.masked && (one.recorded.main || one.recorded.sub))} />
        : <Empty icon="off" title={t('play.not_recorded')} />}
    </section>
  );
}
