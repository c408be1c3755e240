import assert from 'node:assert/strict';
import { test } from 'node:test';
import { insideVillage } from '../src/people/inside';
import { keyOf } from '../src/tv/keys';
import { going, moved, offered, STEP_MS } from '../src/tv/meeting';
import { lintScript, lintStyle } from '../tv-lint.mjs';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-27T07:52:10Z');

test('the keys of remote controls are recognised by name and by number', () => {
  assert.equal(keyOf({ key: 'ArrowLeft' }), 'left');
  assert.equal(keyOf({ key: 'Enter' }), 'ok');
  assert.equal(keyOf({ key: 'Unidentified', keyCode: 10009 }), 'back');
  assert.equal(keyOf({ keyCode: 461 }), 'back');
  assert.equal(keyOf({ key: 'GoBack' }), 'back');
  assert.equal(keyOf({ key: 'a', keyCode: 65 }), null);
});

test('a meeting ends on a quarter, in the future, within half a day', () => {
  const end = offered(NOW);
  assert.equal(new Date(end).toISOString(), '2026-11-27T09:00:00.000Z');
  assert.equal(moved(end, 1, NOW), end + STEP_MS);
  let early = end;
  for (let i = 0; i < 20; i += 1) early = moved(early, -1, NOW);
  assert.equal(new Date(early).toISOString(), '2026-11-27T08:00:00.000Z');
  let late = end;
  for (let i = 0; i < 200; i += 1) late = moved(late, 1, NOW);
  assert.ok(late <= NOW + 12 * HOUR + STEP_MS && late % STEP_MS === 0);
  assert.equal(going(String(late), NOW), late);
});

test('what was kept of a meeting counts only while it is to come', () => {
  assert.equal(going(String(NOW + HOUR), NOW), NOW + HOUR);
  for (const kept of [null, '', 'x', String(NOW), String(NOW - 1), String(NOW + 100 * HOUR)]) assert.equal(going(kept, NOW), null, String(kept));
});

test('what Chromium 68 does not know is found', () => {
  for (const [code, word] of [
    ['a ?? b', 'ES2017'], ['a?.b', 'ES2017'], ['const o = { ...a }', 'ES2017'], ['try {} catch {}', 'ES2017'], ['async function* f() {}', 'ES2017'],
    ['[1].flat()', '.flat'], ['Object.fromEntries(x)', '.fromEntries'], ['x["replaceAll"]("a", "b")', '.replaceAll'], ['globalThis.x = 1', 'globalThis'],
    ['window.structuredClone(x)', 'structuredClone'], ['AbortSignal.timeout(1)', 'AbortSignal'], ['queueMicrotask(f)', 'queueMicrotask'],
  ] as const) {
    const found = lintScript(code).join('; ');
    assert.ok(found.includes(word), `${code}: ${found}`);
  }
  assert.deepEqual(lintScript('async function f() { await fetch("/x").then((r) => r.text()); const { a } = b; return a ** 2; }'), []);
  assert.deepEqual(lintStyle('p { display: flex; gap: 1em; width: clamp(1px, 2px, 3px) } a:focus-visible { top: 0 }').length, 3);
  assert.deepEqual(lintStyle('p { margin: 1vh; background: #000 }'), []);
});

test('the address for a TV is one inside the village', () => {
  for (const inside of ['localhost', '192.168.1.7', '10.0.0.2', '172.20.1.1', '127.0.0.1', 'matthon', 'matthon.local', '[fe80::1]', 'fd12:3456::1']) assert.ok(insideVillage(inside), inside);
  for (const outside of ['thon.example.vn', '203.0.113.7', '172.32.0.1', '2001:db8::1', '']) assert.ok(!insideVillage(outside), outside);
});
