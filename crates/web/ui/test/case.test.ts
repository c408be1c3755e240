import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clipOf, frameOf, nextOf, stillPath, undoSeconds } from '../src/cases/shape';

test('the box in per cent of the picture, cut at its edges', () => {
  assert.deepEqual(frameOf([0.25, 0.5, 0.75, 1]), { left: 25, top: 50, width: 50, height: 50 });
  assert.deepEqual(frameOf([-0.5, -1, 0.5, 0.25]), { left: 0, top: 0, width: 50, height: 25 });
  for (const none of [null, undefined, [0.5, 0.5, 0.5, 0.9], [0.9, 0, 0.1, 1], [0, 0, NaN, 1], [1.5, 0, 2, 1]]) {
    assert.equal(frameOf(none as never), null, String(none));
  }
});

test('seconds to take an answer back, counted on the clock of the box', () => {
  const answered = { state: 'confirmed', undo_until: '2026-11-23T10:00:10Z' };
  const at = Date.parse('2026-11-23T10:00:00Z');
  assert.equal(undoSeconds(answered, at), 10);
  assert.equal(undoSeconds(answered, at + 9_001), 1);
  assert.equal(undoSeconds(answered, at + 10_000), 0);
  assert.equal(undoSeconds(answered, at + 60_000), 0);
  assert.equal(undoSeconds({ ...answered, state: 'raised' }, at), 0);
  assert.equal(undoSeconds({ ...answered, undo_until: null }, at), 0);
});

test('a better file has another address; where there is none there is no address', () => {
  assert.equal(stillPath({ id: 7, still: 'pending' }), null);
  assert.equal(stillPath({ id: 7, still: 'missing' }), null);
  assert.notEqual(stillPath({ id: 7, still: 'small' }), stillPath({ id: 7, still: 'main' }));
  assert.match(stillPath({ id: 7, still: 'main' }) ?? '', /^\/api\/v1\/cases\/7\/still\.jpg\?/);
  assert.equal(clipOf({ id: 7, clip: 'pending', clip_to: null }), null);
  const [part, longer] = ['2026-11-23T10:00:00Z', '2026-11-23T10:00:10Z'].map((clip_to) => clipOf({ id: 7, clip: 'partial', clip_to }));
  assert.notEqual(part, longer);
  assert.notEqual(longer, clipOf({ id: 7, clip: 'done', clip_to: '2026-11-23T10:00:10Z' }));
});

test('the next case is the newest that waits and is not this one', () => {
  const cases = [{ id: 9, state: 'raised' }, { id: 8, state: 'confirmed' }, { id: 5, state: 'raised' }];
  assert.equal(nextOf(cases, 9), 5);
  assert.equal(nextOf(cases, 5), 9);
  assert.equal(nextOf([{ id: 9, state: 'raised' }], 9), null);
});

test('measured numbers in words and units, the known ones first', async () => {
  // The texts ask the page for its language; here is none.
  Object.assign(globalThis, { document: { documentElement: {} }, window: {} });
  const { entryText, measuredRows, valueText } = await import('../src/cases/words');
  const rows = measuredRows({ zebra: 2, limit_s: 30, drift: 0.05, dwell_s: 95, bad: Number.NaN });
  assert.deepEqual(rows.map((row) => row.value), ['2 phút', '30 giây', '5 % cỡ xe', '2']);
  assert.equal(rows[3]?.name, 'zebra');
  assert.deepEqual(['angle_deg', 'travel', 'seconds_s', 'odd'].map((key) => valueText(key, 0.24)), ['0°', '24 % khung hình', '0,2 giây', '0,24']);
  assert.notEqual(entryText({ what: 'raised', by: '', note: '' }), entryText({ what: 'raised', by: 'ba-thanh', note: '' }));
  assert.notEqual(entryText({ what: 'ended', by: '', note: 'left' }), entryText({ what: 'ended', by: '', note: 'new-word' }));
});
