import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Continuity } from '../src/player/continuity';
import { inspectFragment, isInit, timescale } from '../src/player/fmp4';

const u32 = (n: number) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const box = (type: string, ...body: number[][]): number[] => {
  const flat = body.flat();
  return [...u32(flat.length + 8), ...[...type].map((c) => c.charCodeAt(0)), ...flat];
};
const bytes = (...parts: number[][]) => new Uint8Array(parts.flat());
const SYNC = 0x0200_0000;
const DELTA = 0x0101_0000;

/** As the server writes them: duration, size, flags and composition offset for each sample. */
function fragment(dts: number, samples: { duration: number; flags: number }[]): Uint8Array {
  const tfdt = box('tfdt', u32(0x0100_0000), u32(Math.floor(dts / 2 ** 32)), u32(dts % 2 ** 32));
  const trun = box('trun', u32(0x0100_0f01), u32(samples.length), u32(0), ...samples.map((s) => [...u32(s.duration), ...u32(1), ...u32(s.flags), ...u32(0)]));
  const traf = box('traf', box('tfhd', u32(0x0002_0000), u32(1)), tfdt, trun);
  return bytes(box('moof', box('mfhd', u32(0), u32(1)), traf), box('mdat', [0]));
}

test('decode time, duration and random access of a fragment', () => {
  assert.deepEqual(inspectFragment(fragment(2 ** 33 + 5, [{ duration: 3000, flags: SYNC }, { duration: 6000, flags: DELTA }])), { dts: 2 ** 33 + 5, duration: 9000, key: true });
  assert.equal(inspectFragment(fragment(0, [{ duration: 3000, flags: DELTA }]))?.key, false);
});

test('defaults in tfhd and first-sample-flags, as other muxers write them', () => {
  const tfhd = box('tfhd', u32(0x0002_0038), u32(1), u32(500), u32(99), u32(DELTA));
  const tfdt = box('tfdt', u32(0), u32(700));
  const moof = (trun: number[]) => bytes(box('moof', box('traf', tfhd, tfdt, trun)));
  assert.deepEqual(inspectFragment(moof(box('trun', u32(0x5), u32(2), u32(0), u32(SYNC)))), { dts: 700, duration: 1000, key: true });
  assert.deepEqual(inspectFragment(moof(box('trun', u32(0x1), u32(2), u32(0)))), { dts: 700, duration: 1000, key: false });
});

test('cut short anywhere, a fragment is refused or read, never an exception', () => {
  const whole = fragment(90_000, [{ duration: 3000, flags: SYNC }]);
  for (let n = 0; n < whole.length; n += 1) inspectFragment(whole.subarray(0, n));
  for (let i = 0; i < whole.length; i += 1) {
    const hurt = whole.slice();
    hurt[i] = 0xff;
    inspectFragment(hurt);
    timescale(hurt);
  }
  assert.equal(inspectFragment(new Uint8Array()), null);
});

test('init segments are told from fragments, and say their timescale', () => {
  const mdhd = box('mdhd', u32(0), u32(0), u32(0), u32(90_000), u32(0), u32(0));
  const init = bytes(box('ftyp', u32(0)), box('moov', box('trak', box('mdia', mdhd))));
  assert.equal(isInit(init), true);
  assert.equal(isInit(fragment(0, [])), false);
  assert.equal(isInit(new Uint8Array(3)), false);
  assert.equal(timescale(init), 90_000);
  assert.equal(timescale(new Uint8Array(20)), null);
});

test('one timeline out of many: starts at zero, follows small steps, closes jumps', () => {
  const line = new Continuity();
  const at = (dts: number, cover = 0) => {
    const placed = line.place(fragment(dts, [{ duration: 9000 + cover, flags: SYNC }]));
    return Math.round(((placed?.offset ?? Number.NaN) + dts / 90_000) * 1000);
  };
  assert.equal(at(900_000), 0);
  assert.equal(at(909_000), 100);
  assert.equal(at(920_000, 90_000), 222, 'later than assumed by a little: kept');
  assert.equal(at(927_000), 300, 'earlier than the assumed end: kept');
  assert.equal(at(9_000_000), 1322, 'a minute later: goes on at the end');
  assert.equal(at(9_009_000), 1422);
  assert.equal(at(0), 1522, 'back to zero: goes on');
  line.reset();
  assert.equal(at(50_000), 0);
  assert.equal(line.place(new Uint8Array(9)), null);
});

test('sound lies where the picture of its time lies, and nowhere beside pictures of another connection', () => {
  const line = new Continuity();
  const see = (dts: number) => line.place(fragment(dts, [{ duration: 9000, flags: SYNC }]))?.offset ?? Number.NaN;
  assert.equal(line.beside(10), null, 'before the first picture');
  see(900_000);
  assert.equal(line.beside(10.02), -10);
  assert.equal(line.beside(9.9), null, 'before the picture that was joined at');
  assert.equal(line.beside(14.9), -10, 'a little ahead');
  assert.equal(line.beside(16), null, 'of another run');
  // A minute was skipped: the picture goes on at the end of what there was, and so does the sound of that time.
  const offset = see(6_300_000);
  assert.equal(line.beside(70.05), offset);
  assert.equal(line.beside(10.1), null, 'what was still on its way from before');
  line.reset();
  assert.equal(line.beside(70.05), null);
});
