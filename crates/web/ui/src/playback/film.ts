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
/** So many films in a row that break off without a picture, and it is given up. */
const FAILURES = 3;

export class FilmPlayer {
  private state: FilmState = { status: 'idle', wall: null };
  private run: AbortController | null = null;
  private starts: Ms | null = null;
  private failures = 0;
  private rate = 1;
  private source: { camera: string; stream: string } | null = null;

  constructor(private readonly video: HTMLVideoElement, private readonly now: () => Ms, private readonly changed: (state: FilmState) => void) {
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
    this.failures = 0;
    void this.film(wall);
  }

  /** Another moment is looked at: nothing is made any more. */
  stop(): void {
    this.run?.abort();
    this.run = null;
    this.starts = null;
    this.video.pause();
    if (this.video.hasAttribute('src')) {
      this.video.removeAttribute('src');
      this.video.load();
    }
    this.set({ status: 'idle', wall: null });
  }

  pause(): void {
    this.video.pause();
    if (this.state.status === 'playing' || this.state.status === 'loading') this.set({ status: 'paused' });
  }

  resume(): void {
    if (this.state.status !== 'paused') return;
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
    this.set({ status: 'loading', wall });
    const to = Math.min(wall + LONGEST, this.now());
    let body: ReadableStreamDefaultReader<Uint8Array>;
    let codecs: string;
    try {
      if (to <= wall) return this.set({ status: 'end' });
      const answer = await fetch(filmPath(this.source.camera, wall, to, this.source.stream), { credentials: 'same-origin', signal: stop.signal });
      if (stop.signal.aborted) return;
      if (answer.status === 404) return this.set({ status: 'end' });
      if (answer.status === 503) return this.set({ status: 'full' });
      if (!answer.ok || !answer.body) return this.set({ status: 'failed' });
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
      this.failures += 1;
    }
    // What came is shown to its end, and then it goes on with another one.
    if (!stop.signal.aborted && media.readyState === 'open') media.endOfStream();
  }

  /** Appends what comes, no more than some seconds ahead of the picture. */
  private async feed(buffer: SourceBuffer, body: ReadableStreamDefaultReader<Uint8Array>, signal: AbortSignal): Promise<void> {
    const { video } = this;
    signal.addEventListener('abort', () => void body.cancel().catch(() => undefined));
    for (;;) {
      const { done, value } = await body.read();
      if (done || signal.aborted) return;
      await once(buffer, 'updateend', signal, () => buffer.appendBuffer(value as Uint8Array<ArrayBuffer>));
      if (buffer.buffered.length > 0) this.failures = 0;
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
    this.goOn(starts + Math.max(video.duration, video.currentTime) * 1000 + 1);
  };

  private readonly onError = (): void => {
    if (!this.video.error || !this.video.hasAttribute('src')) return;
    this.failures += 1;
    this.goOn((this.state.wall ?? 0) + 1);
  };

  private goOn(wall: Ms): void {
    if (!Number.isFinite(wall) || this.failures >= FAILURES) {
      this.run?.abort();
      return this.set({ status: 'failed' });
    }
    void this.film(wall);
  }

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
  return new Promise((done) => {
    of.addEventListener(name, () => done(), { once: true });
    signal.addEventListener('abort', () => done(), { once: true });
    begin?.();
  });
}
