import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HlsPlayer } from '../src/player/hls';
import { Ladder } from '../src/player/ladder';

/** What the player uses of a browser, with its timers in hand. */
function browser() {
  const later = new Map<number, () => void>();
  let last = 0;
  const world = globalThis as unknown as { [name: string]: unknown };
  world['window'] = {
    setInterval: () => 0,
    clearInterval: () => undefined,
    setTimeout: (run: () => void) => (later.set((last += 1), run), last),
    clearTimeout: (timer: number) => later.delete(timer),
  };
  const video = Object.assign(new EventTarget(), { error: null as unknown, src: '', currentTime: 0, play: () => Promise.resolve(), load: () => undefined, removeAttribute: () => undefined });
  const breaks = () => {
    video.error = { code: 4 };
    video.dispatchEvent(new Event('error'));
  };
  const pass = () => {
    for (const [timer, run] of [...later]) {
      later.delete(timer);
      run();
    }
  };
  return { video: video as unknown as HTMLVideoElement, breaks, pass };
}

test('a playlist that fails again and again is told of each time: three strikes, and the next rung is taken', () => {
  const { video, breaks, pass } = browser();
  const ladder = new Ladder(['hls', 'stills'], 0);
  const told: string[] = [];
  const player = new HlsPlayer(video, '/hls/index.m3u8', ({ status }) => {
    told.push(status);
    if (status === 'failed') ladder.strike(told.length);
  });
  for (let n = 0; n < 3; n += 1) {
    assert.equal(ladder.rung, 'hls');
    breaks();
    pass();
  }
  assert.deepEqual(told, ['failed', 'waiting', 'failed', 'waiting', 'failed', 'waiting']);
  assert.equal(ladder.rung, 'stills');
  player.close();
});
