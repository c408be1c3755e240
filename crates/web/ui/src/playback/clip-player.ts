// Plays recordings in a `<video>`: one clip of a few minutes at a time, found by wall time. No framework.

import { clipPath } from '../api';
import { fromApi, type Ms } from '../time';
import { fetchKeys } from './fetch-head';
import { Scrub } from './scrub';
import { ClipMap, landing, windowOf, within, type Span } from './spans';

export type ClipStatus =
  | 'idle'
  | 'loading'
  | 'ready'
  /** The newest recording was played to its end. */
  | 'end'
  /** The browser or the server refused the clip. */
  | 'failed';

export interface ClipState {
  status: ClipStatus;
  /** Wall time of the picture. */
  wall: Ms | null;
  playing: boolean;
}

export interface Source {
  camera: string;
  stream: string;
  /** Recorded spans, normalised; those of one day at least. */
  spans: readonly Span[];
  /** Midnight of the day: windows count from it. */
  origin: Ms;
}

export const WINDOW: Ms = 10 * 60_000;
/** Nobody wants to see only the last frame: so much is shown before the newest. */
const LEAD: Ms = 3000;
/** A clip begins at the random access point before its window and says so here. */
const STARTS_AT = 'X-Matthon-Starts-At';
/** Rounding of sample times must not put a seek before the frame it means. */
const INSIDE = 0.005;

interface Loaded {
  camera: string;
  stream: string;
  from: Ms;
  to: Ms;
  map: ClipMap;
  /** Where decoding can begin, milliseconds into the clip; null: not known. */
  keys: readonly number[] | null;
}

export class ClipPlayer {
  private state: ClipState = { status: 'idle', wall: null, playing: false };
  private source: Source | null = null;
  private loaded: Loaded | null = null;
  private loading: AbortController | null = null;
  private wantPlay = false;
  private pendingSeek: number | null = null;
  private finger: Scrub | null = null;
  private fingerTimer = 0;
  private rate = 1;
  private closed = false;
  private readonly timer: number;

  /** `ended` is called with the wall time where a window ended, so that its owner can look for newer spans first. */
  constructor(private readonly video: HTMLVideoElement, private readonly changed: (state: ClipState) => void, private readonly ended: (wall: Ms) => void) {
    video.muted = true;
    video.playsInline = true;
    video.preload = 'auto';
    video.addEventListener('seeked', this.onSeeked);
    video.addEventListener('ended', this.onEnded);
    video.addEventListener('error', this.onError);
    video.addEventListener('play', this.onPlayPause);
    video.addEventListener('pause', this.onPlayPause);
    this.timer = window.setInterval(() => this.report(), 100);
  }

  close(): void {
    this.closed = true;
    window.clearInterval(this.timer);
    this.lift();
    this.loading?.abort();
    const { video } = this;
    video.removeEventListener('seeked', this.onSeeked);
    video.removeEventListener('ended', this.onEnded);
    video.removeEventListener('error', this.onError);
    video.removeEventListener('play', this.onPlayPause);
    video.removeEventListener('pause', this.onPlayPause);
    video.removeAttribute('src');
    video.load();
  }

  /** New spans, another stream or another camera; what is shown stays until the next `seek`. */
  use(source: Source): void {
    this.source = source;
  }

  /** Whether `wall` can be shown at once, without asking for another clip. */
  holds(wall: Ms): boolean {
    const { loaded, source } = this;
    return loaded !== null && source !== null && loaded.camera === source.camera && loaded.stream === source.stream && wall >= loaded.from && wall < loaded.to;
  }

  /** Goes to the recording at or after `wall`, `lead` before the newest at the latest; the instant it went to, or null when nothing is recorded. */
  seek(wall: Ms, play = this.wantPlay, lead = LEAD): Ms | null {
    const { source } = this;
    const target = source && landing(source.spans, wall, lead);
    if (!source || target === null) return null;
    this.lift();
    this.wantPlay = play;
    if (this.holds(target) && this.loaded) {
      const clip = this.loaded.map.clip(target);
      if (clip !== null) {
        this.set({ status: this.state.status === 'loading' ? 'loading' : 'ready', wall: target });
        this.jump(clip / 1000);
        if (play) this.start();
        return target;
      }
    }
    void this.load(source, target);
    return target;
  }

  /** A finger points at `wall`: a picture near it at once, the very one when it stays there. False: that is not loaded. `seek` ends it. */
  scrub(wall: Ms): boolean {
    const { loaded, state } = this;
    const clip = loaded && state.status !== 'loading' && this.holds(wall) ? loaded.map.clip(wall) : null;
    window.clearTimeout(this.fingerTimer);
    if (!loaded || clip === null) return false;
    this.pause();
    this.set({ status: 'ready' });
    this.finger = this.finger ?? new Scrub();
    const { to, again } = this.finger.at(clip, performance.now(), loaded.keys);
    // The film may begin within a group of pictures.
    if (to !== null) this.jump(Math.max(0, to) / 1000);
    if (again !== null) this.fingerTimer = window.setTimeout(() => this.scrub(wall), again);
    return true;
  }

  play(): void {
    this.wantPlay = true;
    this.start();
  }

  pause(): void {
    this.wantPlay = false;
    this.video.pause();
  }

  setRate(rate: number): void {
    this.rate = rate;
    this.video.defaultPlaybackRate = rate;
    this.video.playbackRate = rate;
  }

  /** One picture on or back; `fps` of the stream. */
  step(by: 1 | -1, fps: number): void {
    this.pause();
    const to = this.video.currentTime + by / fps;
    if (to >= 0 && to < this.video.duration) this.jump(to);
  }

  private async load(source: Source, target: Ms): Promise<void> {
    this.loading?.abort();
    const stop = new AbortController();
    this.loading = stop;
    this.pendingSeek = null;
    const window = windowOf(target, WINDOW, source.origin);
    const parts = within(source.spans, window.from, window.to);
    const [first, last] = [parts[0], parts[parts.length - 1]];
    if (!first || !last) return;
    // A window that is still being written ends where the recording ends now.
    const path = clipPath(source.camera, first.from, last.to, source.stream, false);
    this.video.pause();
    this.loaded = null;
    this.set({ status: 'loading', wall: target });
    let starts: Ms | null = null;
    try {
      const head = await fetch(path, { headers: { Range: 'bytes=0-0' }, credentials: 'same-origin', signal: stop.signal });
      if (!head.ok) throw new Error(String(head.status));
      starts = fromApi(head.headers.get(STARTS_AT));
    } catch {
      if (!stop.signal.aborted && !this.closed) this.set({ status: 'failed' });
      return;
    }
    if (stop.signal.aborted || this.closed) return;
    const from = starts ?? first.from;
    const map = new ClipMap(from < first.from ? [{ from, to: first.to }, ...parts.slice(1)] : within(parts, from, last.to));
    this.loaded = { camera: source.camera, stream: source.stream, from: first.from, to: last.to, map, keys: null };
    const { loaded } = this;
    this.video.src = path;
    this.video.playbackRate = this.rate;
    this.video.addEventListener('loadedmetadata', () => {
      if (this.loading !== stop) return;
      const clip = map.clip(this.state.wall ?? target);
      this.pendingSeek = null;
      this.video.currentTime = (clip ?? 0) / 1000 + INSIDE;
      this.set({ status: 'ready' });
      if (this.wantPlay) this.start();
      // Without them a finger waits longer for its pictures, that is all.
      fetchKeys(path, stop.signal).then((keys) => (loaded.keys = keys), () => undefined);
    }, { once: true });
  }

  private lift(): void {
    window.clearTimeout(this.fingerTimer);
    this.finger = null;
  }

  private jump(seconds: number): void {
    // While a seek is under way only the newest wish is kept.
    if (this.video.seeking || this.video.readyState < HTMLMediaElement.HAVE_METADATA) this.pendingSeek = seconds;
    else this.video.currentTime = seconds + INSIDE;
  }

  private start(): void {
    if (this.video.readyState === HTMLMediaElement.HAVE_NOTHING) return;
    (this.video.play() as Promise<void> | undefined)?.catch(() => this.onPlayPause());
  }

  private readonly onSeeked = (): void => {
    if (this.pendingSeek !== null) {
      const to = this.pendingSeek;
      this.pendingSeek = null;
      this.video.currentTime = to + INSIDE;
    } else this.report();
  };

  private readonly onEnded = (): void => {
    const { loaded } = this;
    if (!loaded) return;
    this.set({ wall: loaded.to, playing: false });
    this.ended(loaded.to);
  };

  /** To be called when nothing newer was found after `ended`. */
  finish(): void {
    this.wantPlay = false;
    this.set({ status: 'end', playing: false });
  }

  private readonly onError = (): void => {
    if (this.video.error && this.video.hasAttribute('src')) {
      this.loaded = null;
      this.set({ status: 'failed', playing: false });
    }
  };

  private readonly onPlayPause = (): void => this.set({ playing: !this.video.paused });

  private report(): void {
    const { loaded, video } = this;
    if (!loaded || this.state.status !== 'ready' || video.seeking || this.pendingSeek !== null || video.ended) return;
    const wall = loaded.map.wall(Math.max(0, video.currentTime - INSIDE) * 1000);
    if (wall !== null) this.set({ wall });
  }

  private set(change: Partial<ClipState>): void {
    if (this.closed) return;
    const next = { ...this.state, ...change };
    const old = this.state;
    if (old.status === next.status && old.playing === next.playing && (old.wall === next.wall || Math.abs((old.wall ?? 0) - (next.wall ?? 0)) < 20)) return;
    this.state = next;
    this.changed(next);
  }
}
