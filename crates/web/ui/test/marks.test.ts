import assert from 'node:assert/strict';
import { test } from 'node:test';
import { around, markAt, marksOf } from '../src/playback/marks';

const T = Date.parse('2026-11-23T10:00:00Z');
const one = (id: number, from: number, to: number | null) => ({
  id, camera: 'cho', kind: 'no-parking', state: 'raised', start: new Date(T + from).toISOString(), raised: new Date(T + from + 1000).toISOString(),
  end: to === null ? null : new Date(T + to).toISOString(),
});

test('marks in the order of time, one that lasts still ends with what is known', () => {
  const marks = marksOf([one(2, 60_000, null), one(1, 0, 30_000), { ...one(3, 0, 0), start: 'x', raised: 'y' }]);
  assert.deepEqual(marks.map(({ id, at, to }) => [id, at - T, to - T]), [[1, 0, 30_000], [2, 60_000, 61_000]]);
  assert.deepEqual(marksOf([{ ...one(1, 5000, null), end: new Date(T).toISOString() }]).map(({ at, to }) => to - at), [0], 'never backwards');
});

test('a tap near a mark means it, the nearest of two', () => {
  const marks = marksOf([one(1, 0, null), one(2, 10_000, null)]);
  assert.equal(markAt(marks, T + 4000, 5000)?.id, 1);
  assert.equal(markAt(marks, T + 6000, 5000)?.id, 2);
  assert.equal(markAt(marks, T + 30_000, 5000), null);
  assert.equal(markAt([], T, 5000), null);
});

test('before, here, after: a jump lands beside the mark and goes on from there', () => {
  const marks = marksOf([one(1, 0, 5000), one(2, 60_000, 90_000), one(3, 120_000, null)]);
  const ids = (at: number) => {
    const { before, here, after } = around(marks, T + at);
    return [before?.id ?? null, here?.id ?? null, after?.id ?? null];
  };
  assert.deepEqual(ids(-60_000), [null, null, 1]);
  assert.deepEqual(ids(500), [null, 1, 2]);
  assert.deepEqual(ids(30_000), [1, null, 2]);
  assert.deepEqual(ids(59_500), [1, 2, 3]);
  assert.deepEqual(ids(80_000), [2, 2, 3]);
  assert.deepEqual(ids(500_000), [3, null, null]);
});
