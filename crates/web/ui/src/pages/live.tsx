// Trực tiếp: all cameras side by side, a page of them at a time, over one socket.

import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n';
import { ComingUp } from '../parts/coming-up';
import { Icon } from '../parts/icon';
import { Link } from '../parts/link';
import { Empty, Failure, Loading } from '../parts/notice';
import { Picture } from '../parts/picture';
import { SaverLine } from '../parts/saver';
import { coverOf, useLive } from '../parts/use-live';
import { usePoll } from '../poll';
import { paths } from '../router';
import { saver } from '../saver';
import { useSignal } from '../signal';
import { recall, remember } from '../storage';
import type { Camera, Cameras } from '../types';

/** Phones have few hardware decoders, and nobody watches thirty pictures at once. */
const PER_PAGE = { phone: 8, desktop: 16 };

function usePerPage(): number {
  const [wide, setWide] = useState(() => window.matchMedia('(min-width: 48rem)').matches);
  useEffect(() => {
    const query = window.matchMedia('(min-width: 48rem)');
    const onChange = () => setWide(query.matches);
    // Safari before 14 has only the older pair.
    if (query.addEventListener) query.addEventListener('change', onChange);
    else query.addListener(onChange);
    return () => (query.removeEventListener ? query.removeEventListener('change', onChange) : query.removeListener(onChange));
  }, []);
  return wide ? PER_PAGE.desktop : PER_PAGE.phone;
}

export function LivePage() {
  const { data, error, again } = usePoll<Cameras>('cameras', 5000);
  const [small, setSmall] = useState(recall('tiles') === 'small');
  const [page, setPage] = useState(0);
  const perPage = usePerPage();

  if (!data) return error ? <Failure error={error} again={again} /> : <Loading />;
  if (data.cameras.length === 0) {
    return <Empty icon="live" title={t('state.no_cameras')}><p>{t('state.no_cameras_todo')}</p></Empty>;
  }
  const pages = Math.ceil(data.cameras.length / perPage);
  const at = Math.min(page, pages - 1);
  const shown = data.cameras.slice(at * perPage, (at + 1) * perPage);
  const up = data.cameras.filter((camera) => camera.streams.main.link === 'ok').length;
  const choose = (value: boolean) => {
    setSmall(value);
    remember('tiles', value ? 'small' : 'large');
  };
  return (
    <>
      <div class="bar page">
        <h1>{t('live.title')}</h1>
        {!error && <p class={up === data.cameras.length ? 'tally good' : 'tally busy'} role="status">{t('live.count', { n: up, m: data.cameras.length })}</p>}
        <div class="choice" role="group" aria-label={t('live.tiles')}>
          <button type="button" aria-pressed={!small} aria-label={t('live.tiles_large')} onClick={() => choose(false)}><Icon name="tile" /></button>
          <button type="button" aria-pressed={small} aria-label={t('live.tiles_small')} onClick={() => choose(true)}><Icon name="grid" /></button>
        </div>
      </div>
      <SaverLine />
      {data.site.demo && <ComingUp cameras={data.cameras} />}
      <Grid key={shown.map((camera) => camera.id).join()} cameras={shown} small={small} />
      {pages > 1 && (
        <nav class="pager" aria-label={t('live.page', { n: at + 1, m: pages })}>
          <button type="button" class="button" disabled={at === 0} onClick={() => setPage(at - 1)} aria-label={t('live.page_previous')}><Icon name="back" /></button>
          <span>{t('live.page', { n: at + 1, m: pages })}</span>
          <button type="button" class="button" disabled={at === pages - 1} onClick={() => setPage(at + 1)} aria-label={t('live.page_next')}><Icon name="forward" /></button>
        </nav>
      )}
    </>
  );
}

function Grid({ cameras, small }: { cameras: Camera[]; small: boolean }) {
  const sparing = useSignal(saver);
  const health = cameras.map((camera) => (camera.streams.sub ?? camera.streams.main).link);
  const live = useLive({ cameras: cameras.map((camera) => camera.id), stream: 'sub', grid: true, sparing, health, moves: cameras.map((camera) => camera.moving === true) });
  const said = live.channels.some((one) => one.full && one.rung === 'stills') ? 'live.stills_full'
    : live.channels.some((one) => one.converted && !one.covered && one.rung !== 'stills') ? 'live.converted' : null;
  return (
    <>
    {said && <p class="message" data-said={said}><Icon name="warn" />{t(said)}</p>}
    <ul class={small ? 'grid small' : 'grid'}>
      {cameras.map((camera, ch) => {
        const channel = live.channels[ch];
        const cover = coverOf(live.status, channel, health[ch]);
        return (
          <li key={camera.id} data-camera={camera.id} data-cover={cover ? (cover.key === 'camera' ? cover.link : cover.key) : 'none'}>
            <Picture name={camera.name} attach={live.attach(ch)} channel={channel} cover={cover} sparing={sparing} />
            {cover?.key === 'tap'
              ? <button type="button" class="hit" aria-label={t('live.tap')} onClick={() => live.play(ch)} />
              : <Link to={paths.camera(camera.id)} class="hit" label={t('live.open', { camera: camera.name })}>{null}</Link>}
          </li>
        );
      })}
    </ul>
    </>
  );
}
