import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Glimpse } from '../src/playback/glimpse';
import { headOf, keyBefore } from '../src/playback/head';
import { REST_MS, Scrub } from '../src/playback/scrub';

const u32 = (n: number) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const word = (text: string) => [...text].map((c) => c.charCodeAt(0));
const box = (type: string, ...body: number[][]): number[] => [...u32(body.flat().length + 8), ...word(type), ...body.flat()];
const table = (type: string, each: number, ...numbers: number[]) => box(type, u32(0), u32(numbers.length / each), ...numbers.map(u32));

interface Clip {
  stts: number[];
  ctts?: number[];
  stss?: number[];
  elst?: number[];
  handler?: string;
}

/** As the server writes clips: 90 kHz, the pictures' track first, a second one behind. */
function clip({ stts, ctts, stss, elst, handler = 'vide' }: Clip): Uint8Array {
  const tables = [box('stsd', u32(0)), table('stts', 2, ...stts), ...(ctts ? [table('ctts', 2, ...ctts)] : []), ...(stss ? [table('stss', 1, ...stss)] : []), table('stsc', 3, 1, 1, 1), box('stsz', u32(0), u32(1000), u32(9))];
  const trak = (kind: string) => box('trak', box('tkhd', u32(0)), ...(elst ? [box('edts', table('elst', 3, ...elst))] : []),
    box('mdia', box('mdhd', u32(0), u32(0), u32(0), u32(90_000), u32(0), u32(0)), box('hdlr', u32(0), u32(0), word(kind), u32(0)), box('minf', box('vmhd', u32(0)), box('stbl', ...tables))));
  return new Uint8Array([...box('ftyp', word('isom')), ...box('moov', box('mvhd', u32(0)), trak(handler), trak('soun')), ...box('mdat', u32(0))]);
}

test('the key pictures of a clip, by the time they are shown at', () => {
  // 15 a second, a key each second; the third second is slower.
  assert.deepEqual(headOf(clip({ stts: [30, 6000, 15, 9000], stss: [1, 16, 31, 41] })), { keys: [0, 1000, 2000, 3000] });
  // Shown later than decoded, some more than others; the first 0.5 s is not shown, and what is shown begins 0.1 s after the clip.
  assert.deepEqual(headOf(clip({ stts: [60, 6000], ctts: [1, 9000, 59, 18_000], stss: [1, 31], elst: [9000, -1 >>> 0, 65_536, 99_000, 45_000, 65_536] })), { keys: [-300, 1800] });
  assert.deepEqual(headOf(clip({ stts: [60, 6000] })), { keys: null }, 'every picture is one');
});

test('a head that is cut short says how much is needed, and gets there', () => {
  const whole = clip({ stts: [30, 6000, 30, 6001], ctts: [60, 0], stss: [1, 31], elst: [99_000, 0, 65_536] });
  const told = headOf(whole);
  for (let n = 0; n < whole.length; n += 1) {
    let have = n;
    for (let asked = 0; asked < 40; asked += 1) {
      const head = headOf(whole.subarray(0, have));
      assert.ok(head, `${have} bytes`);
      if (!('need' in head)) {
        assert.deepEqual(head, told);
        break;
      }
      assert.ok(head.need > have && head.need <= whole.length, `${have} bytes ask for ${head.need}`);
      have = head.need;
    }
  }
});

test('what is no clip of this house is refused, and what is damaged never throws', () => {
  assert.equal(headOf(clip({ stts: [9, 6000], stss: [1], handler: 'soun' })), null);
  assert.equal(headOf(clip({ stts: [9, 6000], stss: [10] })), null, 'a key picture that is not there');
  assert.equal(headOf(clip({ stts: [9, 6000], stss: [0] })), null);
  const whole = clip({ stts: [30, 6000], ctts: [30, 0], stss: [1, 16], elst: [99_000, 0, 65_536] });
  for (let i = 0; i < whole.length; i += 1) {
    for (const value of [0, 0x7f, 0xff]) {
      const hurt = whole.slice();
      hurt[i] = value;
      headOf(hurt);
    }
  }
});

test('the key picture at or before a moment', () => {
  const keys = [100, 1100, 2100];
  assert.deepEqual([0, 99, 100, 1099, 1100, 9000].map((at) => keyBefore(keys, at)), [null, null, 100, 100, 1100, 2100]);
  assert.equal(keyBefore([], 5), null);
});

test('a moving finger gets key pictures, a resting one what it points at', () => {
  const keys = [0, 2000, 4000, 6000];
  const scrub = new Scrub();
  assert.deepEqual(scrub.at(2500, 0, keys), { to: 2000, again: REST_MS });
  assert.deepEqual(scrub.at(2600, 20, keys), { to: null, again: REST_MS - 20 }, 'the same picture is not asked for twice');
  assert.deepEqual(scrub.at(4400, 40, keys), { to: 4000, again: REST_MS });
  assert.deepEqual(scrub.at(4400, 40 + REST_MS, keys), { to: 4400, again: null }, 'it rests');
  assert.deepEqual(scrub.at(4500, 300, keys), { to: 4500, again: null }, 'it creeps');
  assert.deepEqual(scrub.at(6100, 320, keys), { to: 6000, again: REST_MS }, 'it moves on');
  assert.deepEqual(scrub.at(6100, 320 + REST_MS, keys), { to: 6100, again: null });
  assert.deepEqual(scrub.at(6100, 900, keys), { to: null, again: null }, 'it is there');
});

test('where keys are not known, each wish is exact', () => {
  const scrub = new Scrub();
  assert.deepEqual(scrub.at(2500, 0, null), { to: 2500, again: null });
  assert.deepEqual(scrub.at(2600, 1, [5000]), { to: 2600, again: null });
});

/** A glimpse with its requests and timers in hand. */
function made() {
  const asked: { at: number; signal: AbortSignal; answer: (picture: string | null) => void }[] = [];
  const shown: [number, string | null][] = [];
  const timers = new Map<number, () => void>();
  const clock = { now: 0, timers: 0 };
  const glimpse = new Glimpse<string>({
    ask: (at, signal) => new Promise((answer) => asked.push({ at, signal, answer })),
    show: (at, picture) => shown.push([at, picture]),
    now: () => clock.now,
    timers: { set: (run) => (timers.set((clock.timers += 1), run), clock.timers), clear: (timer) => timers.delete(timer) },
  });
  const pass = (ms: number) => {
    clock.now += ms;
    for (const [timer, run] of [...timers]) {
      timers.delete(timer);
      run();
    }
  };
  const settled = () => new Promise<void>((done) => setImmediate(done));
  return { glimpse, asked, shown, pass, settled };
}

test('outside the clip: one request at a time, the newest wish wins', async () => {
  const { glimpse, asked, shown, pass, settled } = made();
  for (const at of [1, 2, 3]) glimpse.wish(at);
  assert.deepEqual(asked.map(({ at }) => at), [1]);
  asked[0]?.answer('a');
  await settled();
  assert.deepEqual(shown, [[1, 'a']]);
  assert.equal(asked.length, 1, 'not at once');
  glimpse.wish(4);
  pass(250);
  assert.deepEqual(asked.map(({ at }) => at), [1, 4]);
  asked[1]?.answer(null);
  await settled();
  assert.deepEqual(shown, [[1, 'a'], [4, null]], 'that there is none is told');
});

test('outside the clip: after the finger is lifted nothing comes any more', async () => {
  const { glimpse, asked, shown, pass, settled } = made();
  glimpse.wish(1);
  glimpse.wish(2);
  glimpse.rest();
  assert.equal(asked[0]?.signal.aborted, true);
  asked[0]?.answer('late');
  await settled();
  pass(1000);
  assert.deepEqual([asked.length, shown.length], [1, 0]);
});
