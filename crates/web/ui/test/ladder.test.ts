import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ladder, rungsFor, type Rung } from '../src/player/ladder';

const ALL: Rung[] = ['socket', 'hls', 'stills'];
const BOTH: Rung[] = ['socket', 'webrtc', 'hls', 'stills'];

/** Seconds go by, one tick each. */
function pass(ladder: Ladder, from: number, seconds: number, moving: boolean, fair = true): number {
  for (let i = 1; i <= seconds; i += 1) ladder.tick(from + i, moving, fair);
  return from + seconds;
}

test('only what the browser can, and single pictures always', () => {
  const can = (mediaSource: boolean, webrtc: boolean, nativeHls: boolean, only: Rung | null = null) => rungsFor({ mediaSource, webrtc, nativeHls }, only);
  assert.deepEqual(can(true, true, true), BOTH);
  assert.deepEqual(can(true, false, true), ALL);
  assert.deepEqual(can(false, true, false), ['webrtc', 'stills']);
  assert.deepEqual(can(false, false, true), ['hls', 'stills']);
  assert.deepEqual(can(false, false, false), ['stills']);
  assert.deepEqual(can(true, true, false, 'hls'), ['hls']);
  assert.deepEqual(can(true, false, true, 'webrtc'), ['webrtc'], 'also where the box did not offer it');
});

test('a stall now and then is no reason to step down, three in a minute are', () => {
  const ladder = new Ladder(ALL, 0);
  let now = pass(ladder, 0, 10, true);
  for (let i = 0; i < 20; i += 1) {
    ladder.strike(now);
    now = pass(ladder, now, 31, true);
  }
  assert.equal(ladder.rung, 'socket');
  for (let i = 0; i < 3; i += 1) ladder.strike((now += 5));
  assert.equal(ladder.rung, 'hls');
});

test('no first picture in time steps down, rung by rung, and stops at the last', () => {
  const ladder = new Ladder(ALL, 0);
  let now = pass(ladder, 0, 14, false);
  assert.equal(ladder.rung, 'socket');
  now = pass(ladder, now, 1, false);
  assert.equal(ladder.rung, 'hls');
  now = pass(ladder, now, 15, false);
  assert.equal(ladder.rung, 'stills');
  pass(ladder, now, 29, false);
  assert.equal(ladder.rung, 'stills');
});

test('a picture that stood still for good steps down, though it had played and told of it once only', () => {
  const ladder = new Ladder(['hls', 'stills'], 0);
  const now = pass(ladder, 0, 300, true);
  ladder.strike(now);
  pass(ladder, now, 14, false);
  assert.equal(ladder.rung, 'hls');
  pass(ladder, now + 14, 1, false);
  assert.equal(ladder.rung, 'stills');
});

test('where the last rung shows nothing, the ones above are tried again, and kept when they play', () => {
  const ladder = new Ladder(['socket', 'stills'], 0);
  for (let i = 0; i < 3; i += 1) ladder.strike(i);
  assert.equal(ladder.rung, 'stills');
  // No single pictures either: the worker is away. The socket is well by now.
  const rung = (): Rung => ladder.rung;
  let back = 0;
  for (let now = 3; now < 200; now += 1) {
    ladder.tick(now, rung() === 'socket', true);
    if (rung() === 'socket' && back === 0) back = now;
  }
  assert.equal(rung(), 'socket');
  assert.ok(back <= 33, String(back));
  // Nothing anywhere: it goes on trying, ever more seldom, and ends nowhere for ever.
  let tries = 0;
  for (let now = 200; now < 2000; now += 1) {
    const before = rung();
    ladder.tick(now, false, true);
    if (before === 'stills' && rung() === 'socket') tries += 1;
  }
  assert.ok(tries >= 3 && tries <= 12, String(tries));
});

test('a camera that is away, or a box, moves nobody', () => {
  const ladder = new Ladder(ALL, 0);
  const now = pass(ladder, 0, 600, false, false);
  assert.equal(ladder.rung, 'socket');
  pass(ladder, now, 14, false);
  assert.equal(ladder.rung, 'socket');
});

test('a way that does not let anything through counts, however often it is tried', () => {
  const ladder = new Ladder(ALL, 0);
  for (let now = 0; now < 9; now += 3) {
    pass(ladder, now, 3, false, false);
    ladder.strike(now + 3);
  }
  assert.equal(ladder.rung, 'hls');
});

/** Strikes as soon as it is on this rung, for so long; how often it was taken. */
function hostile(ladder: Ladder, bad: Rung, from: number, seconds: number): number {
  let tries = 0;
  let before = ladder.rung;
  for (let now = from + 1; now <= from + seconds; now += 1) {
    ladder.tick(now, ladder.rung !== bad, true);
    if (ladder.rung === bad && before !== bad) tries += 1;
    if (ladder.rung === bad) ladder.strike(now);
    before = ladder.rung;
  }
  return tries;
}

test('it tries to get up again, ever more seldom while that fails, and stays when it holds', () => {
  const ladder = new Ladder(['socket', 'stills'], 0);
  for (let i = 0; i < 3; i += 1) ladder.strike(i);
  assert.equal(ladder.rung, 'stills');
  const now = 3;
  // After 30, 60, 120, 240, 480, 600, 600 … seconds.
  assert.equal(hostile(ladder, 'socket', now, 3600), 9);
  let at = pass(ladder, now + 3600, 601, true);
  assert.equal(ladder.rung, 'socket');
  // One stall in a try ends it; a try that has lasted is none any more.
  at = pass(ladder, at, 10, true);
  ladder.strike(at);
  assert.equal(ladder.rung, 'socket');
  // Long well: the next fall is forgiven as fast as the first.
  at = pass(ladder, at, 130, true);
  for (let i = 0; i < 3; i += 1) ladder.strike(at + i);
  assert.equal(ladder.rung, 'stills');
  pass(ladder, at + 3, 31, true);
  assert.equal(ladder.rung, 'socket');
});

test('from the lowest it goes up one at a time', () => {
  const ladder = new Ladder(ALL, 0);
  let now = pass(ladder, 0, 30, false);
  assert.equal(ladder.rung, 'stills');
  now = pass(ladder, now, 31, true);
  assert.equal(ladder.rung, 'hls');
  pass(ladder, now, 61, true);
  assert.equal(ladder.rung, 'socket');
});

test('what can never play is never tried again', () => {
  const ladder = new Ladder(ALL, 0);
  ladder.cannot(1);
  assert.equal(ladder.rung, 'hls');
  ladder.cannot(2);
  assert.equal(ladder.rung, 'stills');
  pass(ladder, 2, 3600, true);
  assert.equal(ladder.rung, 'stills');
  ladder.cannot(5000);
  assert.equal(ladder.rung, 'stills', 'there is nothing below');
  const only = new Ladder(['hls'], 0);
  only.cannot(1);
  pass(only, 1, 100, false);
  assert.equal(only.rung, 'hls');
});

test('where the socket stands still it is WebRTC, which goes on while the socket fails again, and HLS where UDP does not get through', () => {
  const ladder = new Ladder(BOTH, 0);
  const rung = (): Rung => ladder.rung;
  let now = pass(ladder, 0, 20, true);
  for (let i = 0; i < 3; i += 1) ladder.strike((now += 5));
  assert.equal(rung(), 'webrtc');
  // A line that loses packets for an hour: the socket is tried seldom, one stall ends a try, and it is never HLS.
  let tries = 0;
  for (let i = 0; i < 3600; i += 1) {
    now += 1;
    const before = rung();
    ladder.tick(now, rung() === 'webrtc', true);
    if (before === 'webrtc' && rung() === 'socket') tries += 1;
    if (rung() === 'socket') ladder.strike(now);
    assert.notEqual(rung(), 'hls');
  }
  assert.ok(tries >= 4 && tries <= 10, String(tries));
  // Nothing comes over UDP: fifteen seconds, and on.
  const closed = new Ladder(BOTH, 0);
  for (let i = 0; i < 3; i += 1) closed.strike(i);
  pass(closed, 2, 14, false);
  assert.equal(closed.rung, 'webrtc');
  pass(closed, 16, 1, false);
  assert.equal(closed.rung, 'hls');
});

test('what one way cannot because of the codec, the other is not asked for', () => {
  const ladder = new Ladder(BOTH, 0);
  ladder.spare('webrtc');
  ladder.cannot(1);
  assert.equal(ladder.rung, 'hls');
  pass(ladder, 1, 600, true);
  assert.equal(ladder.rung, 'hls');
  const used = new Ladder(['webrtc', 'stills'], 0);
  used.spare('webrtc');
  assert.equal(used.rung, 'webrtc', 'the one in use is left by cannot');
});

test('where the box has no room it is single pictures at once, and a try later, each time later', () => {
  const ladder = new Ladder(ALL, 0);
  let now = pass(ladder, 0, 2, false);
  const tries: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    ladder.refuse(now);
    assert.equal(ladder.rung, 'stills');
    const refused = now;
    while (ladder.rung === 'stills') now = pass(ladder, now, 1, true);
    assert.equal(ladder.rung, 'socket', 'where it was refused, not a rung between');
    tries.push(now - refused);
  }
  assert.deepEqual(tries, [30, 60, 120, 240]);
  // There is room now: once it has proved itself, it is as at the beginning.
  now = pass(ladder, now, 130, true);
  ladder.refuse(now);
  pass(ladder, now, 30, true);
  assert.equal(ladder.rung, 'socket');
});
