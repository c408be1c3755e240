import assert from 'node:assert/strict';
import { test } from 'node:test';
import { marks, timeAt, xOf } from '../src/playback/scale';
import { HOUR, MINUTE } from '../src/time';

test('pixels and times are inverse', () => {
  const scale = { from: 0, to: 24 * HOUR, width: 390 };
  assert.equal(xOf(scale, 12 * HOUR), 195);
  assert.equal(timeAt(scale, 195), 12 * HOUR);
  assert.ok(Math.abs(timeAt(scale, xOf(scale, 1_234_567)) - 1_234_567) < 1);
});

test('marks are round in the day and do not touch', () => {
  const origin = 17 * HOUR;
  const day = marks({ from: origin, to: origin + 24 * HOUR, width: 390 }, 70, origin);
  assert.equal(day.step, 6 * HOUR);
  assert.deepEqual(day.at.map((t) => (t - origin) / HOUR), [0, 6, 12, 18, 24]);
  const near = marks({ from: origin + 61 * MINUTE, to: origin + 71 * MINUTE, width: 600 }, 70, origin);
  assert.equal(near.step, 2 * MINUTE);
  assert.deepEqual(near.at.map((t) => (t - origin) / MINUTE), [62, 64, 66, 68, 70]);
});
