// Thiết bị: how every camera and the storage are doing, in words, with what to do about it.

import { t, tKey, num } from '../i18n';
import { linkText, linkTodo, noteText, ringText, ringTone, ringWord, State, toneOf } from '../parts/health';
import { Icon } from '../parts/icon';
import { Empty, Failure, Loading } from '../parts/notice';
import { codecName } from '../player/support';
import { usePoll } from '../poll';
import { fromApi, type Ms } from '../time';
import { DiskCard, Folders, whyOf } from '../parts/disk';
import { ReachCard } from '../parts/reach';
import { Row, when } from '../parts/row';
import type { Camera, Cameras, Evidence, Problem, Ring, Status, StreamHealth, StreamName } from '../types';
import { bytes, duration, rate } from '../words';
import { Trust } from '../parts/trust';
import { VisionCard } from '../parts/vision';

/** A camera whose clock is farther off than this is worth a word. */
const CLOCK_SECONDS = 2;
/** More sessions than this since the start is a bad cable or a weak supply. */
const MANY_SESSIONS = 10;

export function DevicesPage() {
  const cameras = usePoll<Cameras>('cameras', 3000);
  const status = usePoll<Status>('status', 3000);
  if (!cameras.data) return cameras.error ? <Failure error={cameras.error} again={cameras.again} /> : <Loading />;
  const zone = cameras.data.site.timezone;
  const now = fromApi(cameras.data.now) ?? Date.now();
  const list = cameras.data.cameras;
  return (
    <section class="devices">
      <div class="bar"><h1>{t('dev.title')}</h1></div>
      {status.data ? <Problems status={status.data} cameras={list} zone={zone} now={now} /> : status.error ? <Failure error={status.error} again={status.again} /> : <Loading />}
      {status.data && (
        <>
          <h2>{t('dev.box')}</h2>
          <div class="cards">
            {status.data.vision && <VisionCard vision={status.data.vision} />}
            {status.data.evidence && <EvidenceCard evidence={status.data.evidence} />}
            {status.data.rings.map((ring) => <RingCard key={ring.name} ring={ring} zone={zone} now={now} />)}
            {(status.data.disks ?? []).map((disk) => <DiskCard key={disk.device} disk={disk} zone={zone} now={now} />)}
            {status.data.reach && <ReachCard reach={status.data.reach} zone={zone} now={now} />}
            <article class="card">
              <h3>{cameras.data.site.name}</h3>
              <dl>
                <Row name={t('dev.up')} value={`${status.data.cameras.up}/${status.data.cameras.total}`} />
                {status.data.push && <Row name={t('dev.push')} value={status.data.push.offered ? t('dev.push_on', { n: num(status.data.push.phones) }) : t('dev.push_off')} />}
                <Row name={t('dev.version')} value={status.data.version} />
                <Row name={t('dev.started')} value={when(status.data.started, zone, now)} />
              </dl>
            </article>
            <Trust zone={zone} />
          </div>
        </>
      )}
      <h2>{t('dev.cameras')}</h2>
      {list.length === 0 && <Empty icon="devices" title={t('state.no_cameras')}><p>{t('state.no_cameras_todo')}</p></Empty>}
      <div class="cards">
        {list.map((camera) => <CameraCard key={camera.id} camera={camera} zone={zone} now={now} />)}
      </div>
    </section>
  );
}

function problemText(problem: Problem, cameras: Camera[], { rings, disks }: Status, zone: string, now: Ms): string {
  const name = cameras.find((one) => one.id === problem.camera)?.name ?? problem.camera;
  const sick = problem.text_key?.startsWith('smart.') ? disks?.find((one) => one.device === problem.disk?.split(' ')[0]) : undefined;
  const detail = sick ? whyOf(sick) : problem.detail ?? problem.key;
  const ring = rings.find((one) => one.name === problem.ring);
  const days = (n: number | null | undefined) => (n == null ? t('dev.days_unknown') : duration(n * 86_400));
  const values = { detail, camera: name ?? '', name: problem.ring ?? '', disk: problem.disk ?? '', time: when(problem.since, zone, now), have: days(ring?.days_forecast), promised: days(ring?.days_promised) };
  const text = tKey(problem.text_key ?? problem.key, 'problem.unknown', values);
  if (!name) return text;
  const which = problem.stream === 'sub' ? `${name} (${t('stream.sub').toLowerCase()})` : name;
  return t('problem.camera', { camera: which, text });
}

function Problems({ status, cameras, zone, now }: { status: Status; cameras: Camera[]; zone: string; now: Ms }) {
  // Detection at rest is said calmly on its own card. A camera that is away loses both streams for one reason: said once.
  const told = status.problems.filter((one) => !(one.key === 'vision' && one.text_key === 'vision.no-model')).filter((one) => one.stream !== 'sub'
    || !status.problems.some((other) => other.stream === 'main' && other.camera === one.camera && other.text_key === one.text_key));
  if (told.length === 0) return <p class="message good" role="status"><Icon name="ok" />{t('box.ok')}</p>;
  return (
    <div class="card problems" role="status">
      <h2>{t('dev.problems')}</h2>
      <ul>
        {told.map((problem, i) => <li key={`${problem.key} ${problem.camera ?? problem.disk ?? ''} ${i}`}><Icon name="warn" /><span>{problemText(problem, cameras, status, zone, now)}</span></li>)}
      </ul>
    </div>
  );
}

function RingCard({ ring, zone, now }: { ring: Ring; zone: string; now: Ms }) {
  const used = ring.used * ring.block_size;
  const part = ring.size > 0 ? Math.min(1, used / ring.size) : 0;
  return (
    <article class="card" data-ring={ring.name}>
      <h3>{t('dev.ring', { name: ring.name })}</h3>
      <p><span class={`state ${ringTone(ring.state)}`}>{ringWord(ring.state)}</span></p>
      {ring.state !== 'ok' && <p class="todo">{ringText(ring.state)}</p>}
      <meter min={0} max={1} value={part} aria-label={t('dev.used')}>{num(part * 100)} %</meter>
      <dl>
        <Row name={t('dev.days')} value={ring.days_forecast === null ? t('dev.days_unknown') : t('dev.days_value', { dur: duration(ring.days_forecast * 86_400) })} />
        {ring.days_promised != null && <Row name={t('dev.promised')} value={duration(ring.days_promised * 86_400)} />}
        <Row name={t('dev.oldest')} value={when(ring.oldest, zone, now)} />
        <Row name={t('dev.used')} value={`${bytes(used)} / ${bytes(ring.size)}`} />
        <Row name={t('dev.rate')} value={rate(ring.write_rate_bps)} />
        {ring.detail ? <Row name={t('dev.technical')} value={ring.detail} /> : null}
        {ring.dropped_gops > 0 && <Row name={t('dev.dropped')} value={num(ring.dropped_gops)} />}
      </dl>
      <Folders ring={ring} zone={zone} now={now} />
    </article>
  );
}

/** What lies beside the rings: how much of its room it takes. */
function EvidenceCard({ evidence }: { evidence: Evidence }) {
  const part = evidence.quota > 0 ? Math.min(1, evidence.used / evidence.quota) : 1;
  const tone = evidence.state === 'full' ? 'bad' : evidence.state === 'filling' ? 'busy' : 'good';
  return (
    <article class="card" data-evidence={evidence.state}>
      <h3>{t('dev.evidence')}</h3>
      <p><span class={`state ${tone}`}>{tKey(`evidence.${evidence.state}.word`, 'evidence.unknown')}</span></p>
      <meter min={0} max={1} value={part} aria-label={t('dev.used')}>{num(part * 100)} %</meter>
      <dl>
        <Row name={t('dev.used')} value={`${bytes(evidence.used)} / ${bytes(evidence.quota)}`} />
        <Row name={t('dev.evidence_cases')} value={bytes(evidence.cases)} />
        <Row name={t('dev.evidence_kept')} value={bytes(evidence.kept)} />
        <Row name={t('dev.evidence_packages')} value={bytes(evidence.packages)} />
        <Row name={t('dev.evidence_unconfirmed')} value={duration(evidence.keep_unconfirmed_s)} />
        <Row name={t('dev.evidence_free')} value={bytes(evidence.free)} />
      </dl>
    </article>
  );
}

function CameraCard({ camera, zone, now }: { camera: Camera; zone: string; now: Ms }) {
  return (
    <article class={`card device ${toneOf(camera.streams.main.link)}`} data-device={camera.id}>
      <h3>{camera.name}</h3>
      {camera.detection && <p class={`detection ${camera.detection}`}><Icon name="eye" /><span>{tKey(`detection.${camera.detection}`, 'detection.unknown')}</span></p>}
      <Stream name="main" health={camera.streams.main} recorded={camera.recorded.main} zone={zone} now={now} />
      {camera.streams.sub
        ? <Stream name="sub" health={camera.streams.sub} recorded={camera.recorded.sub} zone={zone} now={now} />
        : <p class="hint">{t('dev.no_sub')}</p>}
    </article>
  );
}

interface StreamProps {
  name: StreamName;
  health: StreamHealth;
  recorded: boolean;
  zone: string;
  now: Ms;
}

function Stream({ name, health, recorded, zone, now }: StreamProps) {
  const offset = health.clock_offset;
  const clockText = offset === null ? null
    : Math.abs(offset) < CLOCK_SECONDS ? t('dev.clock_ok')
    : t(offset > 0 ? 'dev.clock_ahead' : 'dev.clock_behind', { dur: duration(offset) });
  const picture = [health.codec ? codecName(health.codec) : null, health.size ? `${health.size[0]}×${health.size[1]}` : null].filter(Boolean).join(' · ');
  return (
    <section class="stream" data-stream={name}>
      <div class="stream-head">
        <h4>{t(name === 'main' ? 'stream.main' : 'stream.sub')}</h4>
        <State link={health.link} />
      </div>
      {health.link !== 'ok' && <p class="todo">{linkTodo(health.link)}</p>}
      {health.notes.map((note) => <p key={note} class="todo note"><Icon name="warn" /><span>{noteText(note)}</span></p>)}
      <details>
        <summary>
          {health.link === 'ok'
            ? [picture, t('dev.fps', { n: num(health.fps) }), rate(health.bitrate)].filter((s) => s !== '').join('\u00a0· ')
            : `${linkText(health.link)} · ${when(health.since, zone, now)}`}
        </summary>
        <dl>
          <Row name={t('dev.since')} value={when(health.since, zone, now)} />
          <Row name={t('dev.last')} value={when(health.last_sample, zone, now)} />
          {picture !== '' && <Row name={t('dev.picture')} value={picture} />}
          <Row name={t('dev.bitrate')} value={`${rate(health.bitrate)} · ${t('dev.fps', { n: num(health.fps, 1) })}`} />
          {health.gop !== null && <Row name={t('dev.gop')} value={duration(health.gop)} />}
          {clockText !== null && <Row name={t('dev.clock')} value={clockText} />}
          <Row name={t('dev.sessions')} value={health.sessions > MANY_SESSIONS ? t('dev.sessions_many', { n: num(health.sessions) }) : num(health.sessions)} />
          <Row name={t('dev.recording')} value={t(recorded ? 'dev.recorded' : 'dev.not_recorded')} />
          {health.detail !== '' && <Row name={t('dev.detail')} value={health.detail} />}
        </dl>
      </details>
    </section>
  );
}
