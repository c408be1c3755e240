// Plays `film.mp4`, which the box makes while it is watched: fetched piece by piece, fed to a `<video>` by hand. No framework.
// A film ends where the recording has a hole, after ten minutes, or when the box had enough of a pause: the next one begins there.

import { filmPath } from '../api';
import { isManaged, mediaSourceClass } from '../player/support';
import { fromApi, type Ms } from '../time';

export type FilmStatus =
  /** Nothing was begun. */
  | 'idle'
  /** The box begins. */
  | 'loading'
  | 'playing'
  | 'paused'
  /** Nothing is recorded behind this. */
  | 'end'
  /** Others watch films, and the box makes no more at a time. */
  | 'full'
  | 'failed';

export interface FilmState {
  status: FilmStatus;
  /** Wall time of the picture. */
  wall: Ms | null;
}

/** One film at most, ms. */
const LONGEST: Ms = 600_000;
/** Seconds fetched ahead of the picture, and kept behind it. */
const AHEAD = 20;
const BEHIND = 10;
/** Who pauses for longer lets go of the box's place for a film; it is begun anew when he goes on. */
const PAUSE: Ms = 45_000;

export class FilmPlayer {
  private state: FilmState = { status: 'idle', wall: null };
  private run: AbortController | null = null;
  private starts: Ms | null = null;
  /** The film broke off: what came of it is shown, and no other is begun by itself. */
  private broken = false;
  private pausing = 0;
  private rate = 1;
  private source: { camera: string; stream: string } | null = null;

  /** `next`: where something is recorded again behind a moment; null: nowhere. */
  constructor(private readonly video: HTMLVideoElement, private readonly now: () => Ms, private readonly next: (wall: Ms) => Ms | null, private readonly changed: (state: FilmState) => void) {
    video.muted = true;
    video.playsInline = true;
    // ManagedMediaSource wants it (iPhone).
    video.disableRemotePlayback = true;
    video.addEventListener('timeupdate', this.onTime);
    video.addEventListener('ended', this.onEnded);
    video.addEventListener('error', this.onError);
  }

  /** Whether this browser can be fed. */
  static possible(): boolean {
    return mediaSourceClass() !== null;
  }

  close(): void {
    this.stop();
    const { video } = this;
    video.removeEventListener('timeupdate', this.onTime);
    video.removeEventListener('ended', this.onEnded);
    video.removeEventListener('error', this.onError);
  }

  /** Plays what is recorded from `wall` on. */
  start(camera: string, stream: string, wall: Ms): void {
    this.source = { camera, stream };
    void this.film(wall);
  }

  /** Another moment is looked at: nothing is made any more. */
  stop(): void {
    this.run?.abort();
    this.run = null;
    this.starts = null;
    window.clearTimeout(this.pausing);
    this.video.pause();
    if (this.video.hasAttribute('src')) {
      this.video.removeAttribute('src');
      this.video.load();
    }
    this.set({ status: 'idle', wall: null });
  }

  pause(): void {
    this.video.pause();
    if (this.state.status !== 'playing' && this.state.status !== 'loading') return;
    this.set({ status: 'paused' });
    window.clearTimeout(this.pausing);
    this.pausing = window.setTimeout(() => this.run?.abort(), PAUSE);
  }

  resume(): void {
    if (this.state.status !== 'paused') return;
    window.clearTimeout(this.pausing);
    if (this.run?.signal.aborted) return void this.film(this.state.wall ?? 0);
    this.set({ status: 'playing' });
    this.play();
  }

  setRate(rate: number): void {
    this.rate = rate;
    this.video.playbackRate = rate;
  }

  private async film(wall: Ms): Promise<void> {
    const kind = mediaSourceClass();
    if (!this.source || !kind) return this.set({ status: 'failed' });
    this.run?.abort();
    const stop = new AbortController();
    this.run = stop;
    this.starts = null;
    this.broken = false;
    this.set({ status: 'loading', wall });
    const to = Math.min(wall + LONGEST, this.now());
    let body: ReadableStreamDefaultReader<Uint8Array>;
    let codecs: string;
    try {
      if (to <= wall) return this.set({ status: 'end' });
      const answer = await fetch(filmPath(this.source.camera, wall, to, this.source.stream), { credentials: 'same-origin', signal: stop.signal });
      if (stop.signal.aborted) return;
      if (answer.status === 404) {
        const next = this.next(wall);
        return next !== null && next > wall ? void this.film(next) : this.set({ status: 'end' });
      }
      if (!answer.ok || !answer.body) {
        const { kind } = (await answer.json().catch(() => ({}))) as { kind?: string };
        return this.set({ status: kind === 'films-full' ? 'full' : 'failed' });
      }
      this.starts = fromApi(answer.headers.get('X-Matthon-Starts-At'));
      codecs = answer.headers.get('X-Matthon-Codecs') ?? '';
      body = answer.body.getReader();
    } catch {
      if (!stop.signal.aborted) this.set({ status: 'failed' });
      return;
    }
    const media = new kind();
    const url = URL.createObjectURL(media);
    // A blob must not outlive its film.
    stop.signal.addEventListener('abort', () => URL.revokeObjectURL(url));
    await new Promise<void>((opened) => {
      media.addEventListener('sourceopen', () => opened(), { once: true });
      this.video.src = url;
      if (isManaged(kind)) this.video.load();
    });
    if (stop.signal.aborted) return;
    this.video.playbackRate = this.rate;
    if (this.state.status === 'loading') this.play();
    try {
      await this.feed(media.addSourceBuffer(`video/mp4; codecs="${codecs}"`), body, stop.signal);
    } catch {
      if (stop.signal.aborted) return;
      this.broken = true;
    }
    // What came is shown to its end, and then it goes on with another one.
    if (!stop.signal.aborted && media.readyState === 'open') media.endOfStream();
  }

  /** Appends what comes, no more than some seconds ahead of the picture. */
  private async feed(buffer: SourceBuffer, body: ReadableStreamDefaultReader<Uint8Array>, signal: AbortSignal): Promise<void> {
    const { video } = this;
    const leave = () => void body.cancel().catch(() => undefined);
    signal.addEventListener('abort', leave);
    for (;;) {
      const { done, value } = await body.read();
      if (done || signal.aborted) return;
      try {
        await once(buffer, 'updateend', signal, () => buffer.appendBuffer(value as Uint8Array<ArrayBuffer>));
      } catch (refused) {
        // Nobody makes on what nobody takes.
        leave();
        throw refused;
      }
      while (!signal.aborted && end(buffer) - video.currentTime > AHEAD) {
        if (buffer.buffered.length > 0 && video.currentTime - buffer.buffered.start(0) > 2 * BEHIND) {
          await once(buffer, 'updateend', signal, () => buffer.remove(0, video.currentTime - BEHIND));
        }
        await once(video, 'timeupdate', signal);
      }
    }
  }

  private play(): void {
    (this.video.play() as Promise<void> | undefined)?.catch(() => undefined);
  }

  private readonly onTime = (): void => {
    if (this.starts === null || !this.video.hasAttribute('src')) return;
    const wall = this.starts + this.video.currentTime * 1000;
    this.set({ wall, status: this.state.status === 'loading' && this.video.currentTime > 0 ? 'playing' : this.state.status });
  };

  private readonly onEnded = (): void => {
    const { starts, video } = this;
    if (starts === null) return;
    // At least behind the picture that was shown last.
    const wall = starts + Math.max(video.duration, video.currentTime) * 1000 + 1;
    if (this.broken || !Number.isFinite(wall)) this.set({ status: 'failed' });
    else void this.film(wall);
  };

  private readonly onError = (): void => {
    if (!this.video.error || !this.video.hasAttribute('src')) return;
    this.run?.abort();
    this.set({ status: 'failed' });
  };

  private set(change: Partial<FilmState>): void {
    const next = { ...this.state, ...change };
    if (next.status === this.state.status && next.wall === this.state.wall) return;
    this.state = next;
    this.changed(next);
  }
}

function end(buffer: SourceBuffer): number {
  return buffer.buffered.length > 0 ? buffer.buffered.end(buffer.buffered.length - 1) : 0;
}

/** Waits for an event, after `begin` where it must be caused first; also over when it is called off. */
function once(of: EventTarget, name: string, signal: AbortSignal, begin?: () => void): Promise<void> {
  return new Promise((over, refused) => {
    const done = () => {
      of.removeEventListener(name, done);
      signal.removeEventListener('abort', done);
      over();
    };
    of.addEventListener(name, done);
    signal.addEventListener('abort', done);
    try {
      begin?.();
    } catch (error) {
      refused(error);
      done();
    }
  });
}
