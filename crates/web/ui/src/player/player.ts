// One `<video>` fed by hand: init segments and fragments in, a live picture out. No socket, no framework.
// It heals by itself: a SourceBuffer or decoder that fails is rebuilt at the next key frame.
// Sound is a second SourceBuffer, there only while it is wanted and comes: a browser plays what all buffers have, so one without sound would stop the picture.

import { Continuity } from './continuity';
import { EdgeController, type Span } from './edge';
import { inspectFragment, isInit, timescale } from './fmp4';
import { canPlayLive, codecName, isManaged, mediaSourceClass } from './support';
import type { FormatMessage, SoundMessage } from './protocol';
import { Shown, type PlayerState } from './shown';
import { Voice, type SoundState } from './voice';

type Op = { kind: 'mime'; mime: string } | { kind: 'bytes'; bytes: Uint8Array; offset: number | null };

/** What may wait for the SourceBuffer; beyond it the player drops to the next key frame. */
const QUEUE = { bytes: 8 << 20, items: 600 };
/** Seconds kept behind the picture. */
const BEHIND = { keep: 8, trimAt: 20 };
const TICK_MS = 250;
const QUIET_MS = 4000;
/** So many rebuilds without a picture in between, and the player rests before the next. */
const REBUILDS = 3;
const REST_MS = 5000;
/** A picture waits so long for the sound that was asked for with it. */
const VOICE_MS = 1000;
/** No sound for so long while pictures come: there is none any more. */
const STARVED_MS = 3000;
/** So many failures of the sound, and it is given up. */
const VOICES = 3;

export class LivePlayer extends Shown {
  private source: MediaSource | null = null;
  private buffer: SourceBuffer | null = null;
  private mime = '';
  private init: Uint8Array | null = null;
  private queue: Op[] = [];
  private queued = 0;
  private needKey = true;
  private evicted = false;
  private rebuilds = 0;
  private restTimer = 0;
  private closed = false;
  private lastAt = -1;
  private lastMedia = 0;
  private wanted = false;
  private voice: Voice | null = null;
  /** What sound comes, once that is known. */
  private spoken: { mime: string; init: Uint8Array | null; scale: number } | null = null;
  /** There is sound, and the MediaSource in use is without: another one from the next key frame on. */
  private voiceDue = false;
  private voiceFailures = 0;
  private lastSound = 0;
  private awaiting: (() => void) | null = null;
  private readonly line = new Continuity();
  private edge = new EdgeController();
  private readonly timer: number;

  constructor(video: HTMLVideoElement, changed: (state: PlayerState) => void, private readonly heard: (state: SoundState) => void = () => undefined) {
    super(video, changed);
    video.addEventListener('error', this.onVideoError);
    this.timer = window.setInterval(() => this.tick(), TICK_MS);
  }

  /** The stream's parameters, first or changed. */
  format(message: FormatMessage): void {
    if (this.closed) return;
    const codec = codecName(message.codecs);
    this.init = null;
    this.needKey = true;
    if (!canPlayLive(message.mime)) {
      this.drop();
      this.mime = '';
      this.set({ status: 'unsupported', delay: null, codec, width: message.width, height: message.height });
      return;
    }
    // Sound comes and goes with a MediaSource of its own.
    const again = this.mime !== '' && this.source !== null && this.wanted === (this.voice !== null);
    const before = this.mime;
    this.mime = message.mime;
    this.set({ codec, width: message.width, height: message.height, status: this.state.status === 'playing' ? 'playing' : 'waiting' });
    if (!again) this.open();
    else if (before !== message.mime) this.push({ kind: 'mime', mime: message.mime });
  }

  /** An init segment or one fragment. */
  media(bytes: Uint8Array): void {
    if (this.closed || this.mime === '') return;
    this.lastMedia = performance.now();
    if (isInit(bytes)) {
      this.init = bytes;
      this.line.setScale(timescale(bytes) ?? 90_000);
      this.push({ kind: 'bytes', bytes, offset: null });
      return;
    }
    if (!this.init || !this.source) return;
    if (this.queued > QUEUE.bytes || this.queue.length > QUEUE.items) this.overflow();
    let placed = this.line.place(bytes);
    if (placed?.key && this.voiceDue) {
      this.open();
      this.push({ kind: 'bytes', bytes: this.init, offset: null });
      placed = this.line.place(bytes);
    }
    if (!placed || (this.needKey && !placed.key)) return;
    this.needKey = false;
    this.push({ kind: 'bytes', bytes, offset: placed.offset });
  }

  /** With the sound that comes beside the picture, or without. Call it in the tap that asks for it: browsers want to see one. */
  listen(on: boolean): void {
    if (this.wanted === on) return;
    this.wanted = on;
    this.video.muted = !on;
    this.spoken = null;
    this.voiceDue = false;
    this.voiceFailures = 0;
    this.heard(on ? 'waiting' : 'off');
  }

  /** The sound's parameters, first or changed. */
  sound(message: SoundMessage): void {
    if (this.closed || !this.wanted) return;
    if (!canPlayLive(message.mime)) return this.giveUp('unsupported');
    this.spoken = { mime: message.mime, init: null, scale: 90_000 };
    if (this.awaiting) this.awaiting();
    else if (this.voice && this.voice.mime !== message.mime) this.voiceDue = true;
  }

  /** An init segment of the sound, or one fragment. */
  soundMedia(bytes: Uint8Array): void {
    if (this.closed || !this.wanted || !this.spoken) return;
    if (isInit(bytes)) {
      this.spoken.init = bytes;
      this.spoken.scale = timescale(bytes) ?? 90_000;
      this.voice?.push(bytes, null);
      return;
    }
    if (this.buffer && !this.voice) this.voiceDue = true;
    const info = inspectFragment(bytes);
    const offset = info && this.line.beside(info.dts / this.spoken.scale);
    if (offset === null || !this.voice || !this.spoken.init || this.voice.mime !== this.spoken.mime) return;
    this.lastSound = performance.now();
    this.voice.push(bytes, offset);
    this.heard('on');
  }

  /** The picture goes on without sound; `why` is for the page. */
  private giveUp(why: SoundState): void {
    this.wanted = false;
    this.video.muted = true;
    this.spoken = null;
    this.voiceDue = false;
    this.heard(why);
    if (this.voice) this.rebuild();
    else this.awaiting?.();
  }

  /** The sound's buffer broke, or starves: the picture goes on without it, until sound comes (again). */
  private fallSilent(broken: boolean): void {
    if (broken) this.voiceFailures += 1;
    if (this.voiceFailures >= VOICES) return this.giveUp('failed');
    this.heard('waiting');
    this.rebuild(true);
  }

  close(): void {
    this.closed = true;
    window.clearInterval(this.timer);
    window.clearTimeout(this.restTimer);
    this.video.removeEventListener('error', this.onVideoError);
    this.drop();
  }

  /** `silent`: for now without sound, wanted or not. */
  private open(silent = false): void {
    const kind = mediaSourceClass();
    if (!kind) return;
    window.clearTimeout(this.restTimer);
    this.drop();
    const source = new kind();
    this.voiceDue = false;
    this.source = source;
    this.buffer = null;
    this.edge = new EdgeController();
    this.line.reset();
    // ManagedMediaSource opens only where AirPlay is given up.
    if (isManaged(kind)) this.video.disableRemotePlayback = true;
    const url = URL.createObjectURL(source);
    source.addEventListener('sourceopen', () => {
      URL.revokeObjectURL(url);
      if (silent || !this.wanted || this.spoken) begin();
      else {
        this.awaiting = begin;
        window.setTimeout(() => this.awaiting === begin && begin(), VOICE_MS);
      }
    });
    const begin = () => {
      this.awaiting = null;
      if (this.source !== source || source.readyState !== 'open') return;
      try {
        const buffer = source.addSourceBuffer(this.mime);
        buffer.mode = 'segments';
        buffer.addEventListener('updateend', () => this.buffer === buffer && this.onUpdated());
        buffer.addEventListener('error', () => this.buffer === buffer && this.rebuild());
        if (this.wanted && this.spoken && !silent) {
          this.voice = Voice.beside(source, this.spoken.mime, this.video, () => this.fallSilent(true));
          if (!this.voice) this.giveUp('failed');
          else if (this.spoken.init) this.voice.push(this.spoken.init, null);
          this.lastSound = performance.now();
        }
        this.buffer = buffer;
        this.pump();
      } catch {
        this.rebuild();
      }
    };
    this.video.src = url;
    this.play();
  }

  /** Lets go of the MediaSource and all that waits for it. */
  private drop(): void {
    this.queue = [];
    this.queued = 0;
    this.evicted = false;
    this.needKey = true;
    this.lastAt = -1;
    this.voice?.close();
    this.voice = null;
    this.awaiting = null;
    this.buffer = null;
    if (!this.source) return;
    this.source = null;
    this.video.removeAttribute('src');
    this.video.load();
  }

  private rebuild(silent = false): void {
    if (this.closed || !this.source) return;
    const init = this.init;
    this.rebuilds += 1;
    this.drop();
    const again = () => {
      if (this.closed || this.mime === '') return;
      // Only what does not stay failed can be seen to play, and to fail again.
      if (this.state.status === 'failed') this.set({ status: 'waiting', delay: null });
      this.open(silent);
      if (init && this.init === init) this.push({ kind: 'bytes', bytes: init, offset: null });
      else if (this.init) this.push({ kind: 'bytes', bytes: this.init, offset: null });
    };
    if (this.rebuilds <= REBUILDS) {
      this.set({ status: 'waiting', delay: null });
      again();
      return;
    }
    this.set({ status: 'failed', delay: null });
    window.clearTimeout(this.restTimer);
    this.restTimer = window.setTimeout(again, REST_MS);
  }

  private readonly onVideoError = (): void => {
    if (this.video.error) this.rebuild();
  };

  private push(op: Op): void {
    this.queue.push(op);
    if (op.kind === 'bytes') this.queued += op.bytes.length;
    this.pump();
  }

  /** The SourceBuffer cannot follow: what waits is dropped, init segments and changes of codec excepted. */
  private overflow(): void {
    this.queue = this.queue.filter((op) => op.kind === 'mime' || op.offset === null);
    this.queued = 0;
    for (const op of this.queue) if (op.kind === 'bytes') this.queued += op.bytes.length;
    this.needKey = true;
  }

  private pump(): void {
    const { buffer, source } = this;
    if (!buffer || !source || source.readyState !== 'open' || buffer.updating) return;
    const op = this.queue.shift();
    if (!op) return;
    if (op.kind === 'mime') {
      if (typeof buffer.changeType !== 'function') return this.rebuild();
      try {
        buffer.changeType(op.mime);
      } catch {
        return this.rebuild();
      }
      return this.pump();
    }
    this.queued -= op.bytes.length;
    try {
      if (op.offset !== null && buffer.timestampOffset !== op.offset) buffer.timestampOffset = op.offset;
      buffer.appendBuffer(op.bytes as Uint8Array<ArrayBuffer>);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'QuotaExceededError')) return this.rebuild();
      if (this.evicted) return this.rebuild();
      this.evicted = true;
      this.queue.unshift(op);
      this.queued += op.bytes.length;
      if (!this.evict(1)) this.rebuild();
    }
  }

  private onUpdated(): void {
    const buffer = this.buffer;
    if (!buffer) return;
    const ranges = spans(this.video);
    const first = ranges[0];
    if (first && this.video.currentTime - first.start > BEHIND.trimAt && this.evict(BEHIND.keep)) return;
    this.evicted = false;
    this.pump();
  }

  /** Removes what lies more than `keep` seconds behind the picture; false when there is nothing. */
  private evict(keep: number): boolean {
    const first = spans(this.video)[0];
    const until = this.video.currentTime - keep;
    if (!this.buffer || this.buffer.updating || !first || until <= first.start) return false;
    try {
      this.buffer.remove(0, until);
      return true;
    } catch {
      return false;
    }
  }

  private tick(): void {
    const { video } = this;
    if (!this.source || !this.buffer || this.state.status === 'failed') return;
    if (this.voice && this.lastMedia - this.lastSound > STARVED_MS) return this.fallSilent(false);
    const at = video.currentTime;
    const moved = at !== this.lastAt;
    const stalled = !moved || video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    const out = this.edge.step({ now: performance.now() / 1000, at, buffered: spans(video), stalled });
    if (video.playbackRate !== out.rate) video.playbackRate = out.rate;
    if (out.seek !== null) video.currentTime = out.seek;
    const fed = performance.now() - this.lastMedia < QUIET_MS;
    if (moved && fed && at > 0 && video.videoWidth > 0 && this.lastAt >= 0) {
      this.rebuilds = 0;
      this.set({ status: 'playing', delay: out.delay });
    } else if (this.state.status === 'playing' && !fed) {
      this.set({ status: 'stalled', delay: null });
    }
    // Browsers pause a hidden or starved video and do not always go on.
    if (video.paused && this.state.status !== 'tap' && out.delay !== null) this.play();
    this.lastAt = at;
  }
}

function spans(video: HTMLVideoElement): Span[] {
  const out: Span[] = [];
  for (let i = 0; i < video.buffered.length; i += 1) out.push({ start: video.buffered.start(i), end: video.buffered.end(i) });
  return out;
}
