import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coming } from '../src/coming';

const event = (kind: string, from: number, to: number) => ({ kind, from, to, ruled: true });
const story = {
  now: '2026-11-24T00:00:00Z',
  begun: '2026-11-24T00:00:00Z',
  scenes: [
    { camera: 'cho', seconds: 120, events: [event('no-parking', 18, 73)] },
    { camera: 'cong', seconds: 120, events: [event('wrong-way', 25, 32), event('littering', 80, 120)] },
  ],
};
const at = (seconds: number) => coming(story, Date.parse(story.begun) + seconds * 1000).map((c) => [c.kind, Math.round(c.wait)]);

test('the soonest comes first, what goes on now before it', () => {
  assert.deepEqual(at(0), [['no-parking', 18], ['wrong-way', 25], ['littering', 80]]);
  assert.deepEqual(at(20), [['no-parking', 0], ['wrong-way', 5], ['littering', 60]]);
});

test('after the round comes the next', () => {
  assert.deepEqual(at(100), [['littering', 0], ['no-parking', 38], ['wrong-way', 45]]);
  assert.deepEqual(at(240 + 20), at(20));
  // A clock a little behind the cameras': still in the round before.
  assert.deepEqual(at(-10), [['littering', 0], ['no-parking', 28], ['wrong-way', 35]]);
});
