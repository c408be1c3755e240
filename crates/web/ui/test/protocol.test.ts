import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '../src/player/backoff';
import { parseBinary, parseText } from '../src/player/protocol';

const FORMAT = { type: 'format', ch: 2, camera: 'cho', stream: 'sub', codecs: 'avc1.42c01e', mime: 'video/mp4; codecs="avc1.42c01e"', width: 640, height: 360 };
const PLAIN = { converted: false, covered: false };

test('a format of a multiplexed socket', () => {
  assert.deepEqual(parseText(JSON.stringify(FORMAT), true), { ...FORMAT, ...PLAIN });
  const made = { ...FORMAT, converted: true, covered: true };
  assert.deepEqual(parseText(JSON.stringify(made), true), made);
});

test('a bare socket has channel 0 and needs no ch; a missing mime is made from the codecs', () => {
  const { ch: _, mime: __, ...bare } = FORMAT;
  assert.deepEqual(parseText(JSON.stringify(bare), false), { ...FORMAT, ...PLAIN, ch: 0 });
});

test('a format that says it is of sound is another message; what it does not say of its mime is made from the codecs', () => {
  const sound = { type: 'format', ch: 1, kind: 'audio', camera: 'cho', stream: 'main', codecs: 'flac', mime: 'audio/mp4; codecs="flac"', sample_rate: 8000, channels: 1 };
  const read = { type: 'sound', ch: 1, codecs: 'flac', mime: 'audio/mp4; codecs="flac"' };
  assert.deepEqual(parseText(JSON.stringify(sound), true), read);
  const { mime: _, ...bare } = sound;
  assert.deepEqual(parseText(JSON.stringify(bare), true), read);
  assert.equal(parseText(JSON.stringify({ ...sound, codecs: '' }), true).type, 'unknown');
});

test('states and skips', () => {
  assert.deepEqual(parseText('{"type":"state","ch":1,"state":"no-keyframe"}', true), { type: 'state', ch: 1, state: 'no-keyframe' });
  assert.deepEqual(parseText('{"type":"skipped","ch":0,"gops":3}', true), { type: 'skipped', ch: 0, gops: 3 });
  assert.deepEqual(parseText('{"type":"refused","ch":2,"camera":"cho","kind":"renditions-full","detail":"…"}', true), { type: 'refused', ch: 2, kind: 'renditions-full' });
});

test('what cannot be read is unknown, never an exception', () => {
  const bad = ['', '{', 'null', '[]', '7', '{"type":"format","ch":0}', '{"type":"state","ch":-1}', '{"type":"state","ch":"0"}', '{"type":"state","ch":256}', '{"type":"news","ch":0}'];
  for (const raw of bad) assert.equal(parseText(raw, true).type, 'unknown', raw);
});

test('binaries: one byte of channel when multiplexed, none alone', () => {
  const data = new Uint8Array([3, 9, 8]).buffer;
  assert.deepEqual(parseBinary(data, true), { type: 'media', ch: 3, bytes: new Uint8Array([9, 8]) });
  assert.deepEqual(parseBinary(data, false), { type: 'media', ch: 0, bytes: new Uint8Array([3, 9, 8]) });
  assert.equal(parseBinary(new ArrayBuffer(0), true).type, 'unknown');
});

test('waiting doubles up to ten seconds and begins anew after a success', () => {
  const longest = new Backoff(() => 1);
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(() => longest.next()), [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  longest.reset();
  assert.equal(longest.next(), 500);
  assert.equal(new Backoff(() => 0).next(), 333);
});
