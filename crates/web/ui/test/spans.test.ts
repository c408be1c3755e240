import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClipMap, covered, firstFrom, landing, nearest, normalise, total, windowOf, within } from '../src/playback/spans';

const A = [{ from: 1000, to: 4000 }, { from: 10_000, to: 12_000 }];

test('spans are sorted, joined across rounding, and empty ones dropped', () => {
  assert.deepEqual(normalise([{ from: 30, to: 40 }, { from: 0, to: 10 }, { from: 12, to: 20 }, { from: 25, to: 25 }], 3), [{ from: 0, to: 20 }, { from: 30, to: 40 }]);
  assert.deepEqual(normalise([{ from: 0, to: 100 }, { from: 10, to: 20 }]), [{ from: 0, to: 100 }]);
});

test('a part of the spans', () => {
  assert.deepEqual(within(A, 2000, 11_000), [{ from: 2000, to: 4000 }, { from: 10_000, to: 11_000 }]);
  assert.deepEqual(within(A, 5000, 9000), []);
  assert.equal(total(A), 5000);
});

test('looking for recordings around a moment', () => {
  assert.equal(covered(A, 1000), true);
  assert.equal(covered(A, 4000), false);
  assert.equal(firstFrom(A, 0), 1000);
  assert.equal(firstFrom(A, 2500), 2500);
  assert.equal(firstFrom(A, 4000), 10_000);
  assert.equal(firstFrom(A, 12_000), null);
  assert.equal(nearest(A, 5000), 3999);
  assert.equal(nearest(A, 9000), 10_000);
  assert.equal(nearest([], 9000), null);
});

test('beginning at the newest picture begins a little before it', () => {
  assert.equal(landing(A, 2000, 1500), 2000);
  assert.equal(landing(A, 5000, 1500), 10_000);
  assert.equal(landing(A, 11_900, 1500), 10_500);
  assert.equal(landing(A, 99_000, 1500), 10_500);
  assert.equal(landing(A, 99_000, 5000), 10_000, 'not into the gap');
  assert.equal(landing([], 0, 1500), null);
});

test('wall time and clip time are inverse on what was recorded', () => {
  const map = new ClipMap(A);
  for (const wall of [1000, 1001, 3999, 10_000, 11_999]) assert.equal(map.wall(map.clip(wall) ?? -1), wall);
  assert.equal(map.length, 5000);
});

test('a gap is cut: the clip goes on where the recording goes on', () => {
  const map = new ClipMap(A);
  assert.equal(map.wall(2999), 3999);
  assert.equal(map.wall(3000), 10_000);
  assert.equal(map.clip(7000), 3000);
  assert.equal(map.clip(0), 0);
  assert.equal(map.clip(12_000), null);
  assert.equal(map.wall(99_999), 12_000);
  assert.equal(map.wall(-5), 1000);
  assert.equal(new ClipMap([]).wall(0), null);
});

test('windows are aligned, so that going back asks for the same clip', () => {
  assert.deepEqual(windowOf(1_234_567, 600_000, 1000), { from: 1_201_000, to: 1_801_000 });
  assert.deepEqual(windowOf(1000, 600_000, 1000), { from: 1000, to: 601_000 });
  assert.deepEqual(windowOf(999, 600_000, 1000), { from: -599_000, to: 1000 });
});
