// What players tell of failures, which is what the ladder counts. The browser's `<video>` and clock stand in.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { HlsPlayer } from '../src/player/hls';
import { Ladder } from '../src/player/ladder';
import { LivePlayer } from '../src/player/player';
import { Shown, type PlayerState } from '../src/player/shown';

/** As much of a `<video>` as players touch. */
class Video extends EventTarget {
  error: object | null = null;
  src = '';
  paused = false;
  currentTime = 0;
  videoWidth = 0;
  videoHeight = 0;
  readyState = 0;
  playbackRate = 1;
  buffered = { length: 0 };
  seekable = { length: 0 };
  refuses: unknown = null;
  play = () => (this.refuses === null ? Promise.resolve() : Promise.reject(this.refuses));
  load = () => undefined;
  removeAttribute = () => undefined;

  get element(): HTMLVideoElement {
    return this as unknown as HTMLVideoElement;
  }

  break(): void {
    this.error = { code: 3 };
    this.dispatchEvent(new Event('error'));
    this.error = null;
  }
}

class Source extends EventTarget {
  static isTypeSupported = () => true;
  readyState = 'open';
  addSourceBuffer = () => Object.assign(new EventTarget(), { updating: false, mode: '' });

  constructor() {
    super();
    newest = this;
  }
}

let newest: Source | null = null;
let told: PlayerState[];
const tell = (state: PlayerState) => void told.push(state);
const statuses = () => told.map(({ status }) => status);

Object.defineProperty(globalThis, 'window', { configurable: true, value: globalThis });
Object.assign(globalThis, { MediaSource: Source, HTMLMediaElement: { HAVE_FUTURE_DATA: 3 } });
URL.createObjectURL = () => 'blob:picture';
URL.revokeObjectURL = () => undefined;

beforeEach(() => {
  told = [];
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
});

test('a playlist that fails a few times before it plays stays; one that fails as often in the middle of pictures takes the ladder a rung down', () => {
  const video = new Video();
  const ladder = new Ladder(['hls', 'stills'], 0);
  const player = new HlsPlayer(video.element, '/index.m3u8', (state) => {
    tell(state);
    if (state.status === 'failed') ladder.strike(told.length);
  });
  const fail = () => {
    video.break();
    mock.timers.tick(60_000);
  };
  for (let n = 0; n < 5; n += 1) fail();
  assert.deepEqual(statuses(), ['failed'], 'a playlist that has just begun');
  Object.assign(video, { videoWidth: 640, videoHeight: 360, readyState: 4 });
  for (let n = 0; n < 2; n += 1) {
    assert.equal(ladder.rung, 'hls', `after ${n} more`);
    for (let step = 0; step < 3; step += 1) {
      video.currentTime += 1;
      mock.timers.tick(500);
    }
    assert.equal(statuses().at(-1), 'playing');
    fail();
  }
  player.close();
  assert.deepEqual(statuses(), ['failed', 'playing', 'failed', 'playing', 'failed']);
  assert.equal(ladder.rung, 'stills');
});

test('a decoder that rested after failing shows what it plays, and fails as news', () => {
  const video = new Video();
  const player = new LivePlayer(video.element, tell);
  player.format({ mime: 'video/mp4; codecs="avc1.64001f"', codecs: 'avc1.64001f', width: 640, height: 360 } as Parameters<LivePlayer['format']>[0]);
  for (let n = 0; n < 4; n += 1) video.break();
  assert.equal(statuses().at(-1), 'failed');
  mock.timers.tick(5000);
  assert.equal(statuses().at(-1), 'waiting', 'begun anew');
  newest?.dispatchEvent(new Event('sourceopen'));
  player.media(new Uint8Array(8));
  Object.assign(video, { videoWidth: 640, videoHeight: 360, readyState: 4 });
  for (let at = 1; at < 4; at += 1) {
    video.currentTime = at;
    mock.timers.tick(250);
  }
  assert.equal(statuses().at(-1), 'playing');
  for (let n = 0; n < 4; n += 1) video.break();
  player.close();
  assert.equal(statuses().filter((status) => status === 'failed').length, 2);
});

class Bare extends Shown {
  tell = (change: Partial<PlayerState>) => this.set(change);
  get status() {
    return this.state.status;
  }
}

test('a change is told once, a delay that hardly moved not at all, and a play that wants a tap says so', async () => {
  const video = new Video();
  const shown = new Bare(video.element, tell);
  shown.tell({ status: 'playing', delay: 1 });
  shown.tell({ status: 'playing', delay: 1.04 });
  shown.tell({ delay: 1.06 });
  assert.deepEqual(told.map(({ delay }) => delay), [1, 1.06]);
  video.refuses = new DOMException('', 'AbortError');
  shown.play();
  await new Promise((done) => process.nextTick(done));
  assert.equal(shown.status, 'playing');
  video.refuses = new DOMException('', 'NotAllowedError');
  shown.play();
  await new Promise((done) => process.nextTick(done));
  assert.equal(shown.status, 'tap');
});
