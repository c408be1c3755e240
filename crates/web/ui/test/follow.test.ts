// Two pictures at one time: the second keeps to the first.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { follow, type Lead } from '../src/playback/follow';

const T = 1_795_430_520_000;
const lead = (part: Partial<Lead> = {}): Lead => ({ wall: T, playing: true, speed: 1, ...part });

test('without a picture of that moment it waits, with none shown it goes there', () => {
  assert.deepEqual(follow(lead(), T - 5, false), { do: 'wait' });
  assert.deepEqual(follow(lead(), null, true), { do: 'seek', to: T });
});

test('standing pictures are of the same moment', () => {
  assert.deepEqual(follow(lead({ playing: false }), T - 200, true), { do: 'seek', to: T });
  assert.deepEqual(follow(lead({ playing: false }), T + 20, true), { do: 'nothing' });
});

test('far away it jumps, near it goes along', () => {
  assert.deepEqual(follow(lead(), T - 900, true), { do: 'seek', to: T });
  assert.deepEqual(follow(lead(), T + 50, true), { do: 'rate', rate: 1 });
  assert.deepEqual(follow(lead({ speed: 8 }), T - 900, true), { do: 'rate', rate: 8 * (1 + 900 / 8 / 2000) });
});

test('whatever the distance and the speed, they come together and stay', () => {
  for (const speed of [1, 2, 4, 8]) {
    for (let apart = -690; apart <= 690; apart += 30) {
      let [first, second] = [T, T - apart * speed];
      for (let n = 0; n < 200; n += 1) {
        const move = follow(lead({ wall: first, speed }), second, true);
        assert.notEqual(move.do, 'seek', `${apart} at ${speed}`);
        first += 100 * speed;
        second += 100 * (move.do === 'rate' ? move.rate : speed);
      }
      assert.ok(Math.abs(first - second) / speed <= 85, `${apart} at ${speed}: ${first - second}`);
    }
  }
});
