import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeController, type EdgeOutput } from '../src/player/edge';

/** A player in seconds: frames arrive up to `edge`, the picture moves at the rate it is told. */
class World {
  now = 100;
  at = 0;
  edge = 0;
  start = 0;
  starved = 0;
  readonly control = new EdgeController();

  step(seconds: number, arriving = true): EdgeOutput {
    const out = this.control.step({ now: this.now, at: this.at, buffered: this.edge > this.start ? [{ start: this.start, end: this.edge }] : [], stalled: this.at >= this.edge - 0.01 });
    if (out.seek !== null) this.at = out.seek;
    this.now += seconds;
    if (arriving) this.edge += seconds;
    const next = this.at + seconds * out.rate;
    if (next > this.edge) this.starved += 1;
    this.at = Math.min(this.edge, next);
    return out;
  }
}

test('joining in the middle of a GOP goes to the edge at once', () => {
  const world = new World();
  world.edge = 8;
  assert.equal(world.step(0.25).seek, 8 - world.control.targetDelay);
});

test('half a second too late is made up by a faster picture, without a jump', () => {
  const world = new World();
  world.edge = 0.4;
  for (let i = 0; i < 10; i += 1) world.step(0.25);
  world.at -= 0.6;
  const rates: number[] = [];
  for (let i = 0; i < 60; i += 1) {
    const out = world.step(0.25);
    assert.equal(out.seek, null);
    rates.push(out.rate);
  }
  assert.ok(Math.max(...rates) > 1 && Math.max(...rates) <= 1.15, String(rates));
  assert.ok(world.edge - world.at < 0.6, String(world.edge - world.at));
});

test('far behind is a jump', () => {
  const world = new World();
  world.edge = 1;
  for (let i = 0; i < 10; i += 1) world.step(0.25);
  world.edge += 5;
  const out = world.step(0.25);
  assert.ok(out.seek !== null && world.edge - out.seek < 1);
});

test('the delay stays below a second on an uneven network', () => {
  const world = new World();
  world.edge = 0.4;
  let late = 0;
  for (let i = 0; i < 2000; i += 1) {
    // Every two seconds 0.5 s of frames come late, all at once.
    const pause = i % 40 < 10;
    if (!pause && late > 0) {
      world.edge += late;
      late = 0;
    }
    const out = world.step(0.05, !pause);
    if (pause) late += 0.05;
    if (i > 200) assert.ok((out.delay ?? 0) < 1.6, `${i}: ${out.delay}`);
  }
  assert.ok(world.control.targetDelay <= 0.9);
});

test('a hole in the buffer is stepped over when the picture stands before it', () => {
  const control = new EdgeController();
  const buffered = [{ start: 0, end: 2 }, { start: 2.5, end: 3.5 }];
  assert.equal(control.step({ now: 0, at: 1.9, buffered, stalled: false }).seek, 3.5 - control.targetDelay, 'joining');
  assert.equal(control.step({ now: 10, at: 1.9, buffered, stalled: false }).seek, null);
  const seek = control.step({ now: 10.25, at: 2, buffered, stalled: true }).seek;
  assert.ok(seek !== null && seek >= 2.5 && seek < 2.6);
});

test('standing although frames keep coming: after a while a jump', () => {
  const control = new EdgeController();
  const buffered = [{ start: 0, end: 2 }];
  control.step({ now: 0, at: 1.5, buffered, stalled: false });
  assert.equal(control.step({ now: 5, at: 1.5, buffered, stalled: true }).seek, null);
  assert.equal(control.step({ now: 6, at: 1.5, buffered, stalled: true }).seek, null);
  assert.equal(control.step({ now: 8, at: 1.5, buffered, stalled: true }).seek, null, 'nothing new: a jump would repeat old frames');
  assert.notEqual(control.step({ now: 8.5, at: 1.5, buffered: [{ start: 0, end: 3.5 }], stalled: true }).seek, null);
});

test('a picture before the buffer goes into it; an empty buffer asks for nothing', () => {
  const control = new EdgeController();
  assert.deepEqual(control.step({ now: 0, at: 0, buffered: [], stalled: true }), { rate: 1, seek: null, delay: null });
  const seek = control.step({ now: 1, at: 0, buffered: [{ start: 0.08, end: 0.15 }], stalled: true }).seek;
  assert.equal(seek, 0.08);
});

test('where pictures come evenly they are shown at once', () => {
  const world = new World();
  world.edge = 1;
  const delays: number[] = [];
  for (let i = 0; i < 2000; i += 1) {
    // Fifteen a second: the edge jumps, the clock does not.
    const due = Math.floor((i * 0.05 * 15)) / 15 + 1;
    world.edge = Math.max(world.edge, due);
    const out = world.step(0.05, false);
    if (i > 400) delays.push(out.delay ?? 9);
  }
  const mean = delays.reduce((sum, one) => sum + one, 0) / delays.length;
  assert.ok(mean < 0.22 && Math.min(...delays) > 0, `${mean}`);
});

test('what was too little is not tried again at once, and is forgotten in the end', () => {
  const control = new EdgeController();
  const look = (now: number, stalled: boolean) => control.step({ now, at: now - 0.3, buffered: [{ start: 0, end: now }], stalled });
  const least = control.targetDelay;
  for (let now = 0; now < 10; now += 0.25) look(now, false);
  look(10, true);
  const grown = control.targetDelay;
  assert.ok(grown > least);
  for (let now = 10.25; now < 40; now += 0.25) look(now, false);
  assert.ok(control.targetDelay > least && control.targetDelay < grown, `${control.targetDelay}`);
  for (let now = 40; now < 600; now += 0.25) look(now, false);
  assert.equal(control.targetDelay, least);
});
