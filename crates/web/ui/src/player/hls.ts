// One `<video>` that plays a playlist by itself: older iPhones, televisions, newer browsers. What it does is watched from outside; it is begun anew when it fails.

import { Backoff } from './backoff';
import { Shown, type PlayerState } from './shown';

/** A picture that did not move for so long stands still. Players by segments take short breaks between them. */
const QUIET_MS = 6000;
const TICK_MS = 500;
/** So much farther behind the newest picture than it began, and it jumps: seconds. */
const DRIFT = 6;

export class HlsPlayer extends Shown {
  private readonly backoff = new Backoff();
  private retry = 0;
  private lastAt = -1;
  private movedAt = performance.now();
  /** Distance to the newest picture at which this browser began. */
  private began: number | null = null;
  private closed = false;
  private readonly timer: number;

  constructor(video: HTMLVideoElement, private readonly url: string, changed: (state: PlayerState) => void) {
    super(video, changed);
    video.addEventListener('error', this.onError);
    this.timer = window.setInterval(() => this.tick(), TICK_MS);
    this.open();
  }

  close(): void {
    this.closed = true;
    window.clearInterval(this.timer);
    window.clearTimeout(this.retry);
    this.video.removeEventListener('error', this.onError);
    this.video.removeAttribute('src');
    this.video.load();
  }

  private open(): void {
    this.lastAt = -1;
    this.began = null;
    this.movedAt = performance.now();
    this.video.src = this.url;
    this.play();
  }

  private readonly onError = (): void => {
    if (this.closed || !this.video.error) return;
    // Until a picture comes, failures are one: a playlist that has just begun holds so little that Chromium fails a few times and then plays. How long is too long the ladder knows.
    this.set({ status: 'failed', delay: null });
    window.clearTimeout(this.retry);
    this.retry = window.setTimeout(() => {
      if (!this.closed) this.open();
    }, this.backoff.next());
  };

  private tick(): void {
    const { video } = this;
    const at = video.currentTime;
    if (at !== this.lastAt && this.lastAt >= 0 && video.videoWidth > 0) {
      this.movedAt = performance.now();
      this.backoff.reset();
      this.set({ status: 'playing', delay: this.delay(), width: video.videoWidth, height: video.videoHeight });
    } else if (this.state.status === 'playing' && performance.now() - this.movedAt > QUIET_MS) {
      this.set({ status: 'stalled', delay: null });
    }
    if (video.paused && !video.error && this.state.status !== 'tap' && video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA) this.play();
    this.lastAt = at;
  }

  /** Seconds behind the newest picture the player knows of, if it tells (Chromium does not); jumps when they have become too many. */
  private delay(): number | null {
    const { seekable } = this.video;
    if (seekable.length === 0) return null;
    const end = seekable.end(seekable.length - 1);
    const delay = end - this.video.currentTime;
    if (!Number.isFinite(end) || delay < 0) return null;
    if (this.began === null) this.began = delay;
    if (delay > this.began + DRIFT) this.video.currentTime = end - this.began;
    return delay;
  }
}

/** What the browser's own player says of playlists. */
export function canPlayHls(): boolean {
  return document.createElement('video').canPlayType('application/vnd.apple.mpegurl') !== '';
}
