// Links to one case: what this browser keeps of them where it keeps anything, and the way out of a chat.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { ApiError } from '../src/api';
import { outside } from '../src/link/browser';
import { keep, linkOf, passOf, refusedBecause, type Pass } from '../src/link/pass';

const LINK = `ml_${'0123456789abcdef'.repeat(4)}`;
const OTHER = `ml_${'fedcba9876543210'.repeat(4)}`;
const NOW = 1_795_430_520_000;
const pass = (n: number, until = NOW + 60_000): Pass => ({ case: n, secret: `mc_${n}`, name: 'Lan', until, site: 'Thôn', zone: 'Asia/Ho_Chi_Minh' });

interface Tab { name: string; localStorage?: Storage }
// Asked only when something is kept or looked for, so it may come after the imports.
const tab: Tab = { name: '' };
Object.defineProperty(globalThis, 'window', { configurable: true, value: tab });

/** A browser that keeps things, or one that throws at the thought of it. */
function storage(works: boolean): void {
  const kept = new Map<string, string>();
  const get = () => {
    if (!works) throw new Error('denied');
    return { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) };
  };
  Object.defineProperty(tab, 'localStorage', { configurable: true, get });
  tab.name = '';
}

beforeEach(() => storage(true));

test('a link is read from behind the # and from nowhere else', () => {
  assert.equal(linkOf(`#${LINK}`), LINK);
  for (const other of ['', '#', LINK, `#${LINK}0`, `#${LINK.toUpperCase()}`, '#mi_1']) assert.equal(linkOf(other), null, other);
});

for (const works of [true, false]) {
  test(`a browser that keeps ${works ? 'things' : 'nothing'} is let in again after a reload, until the link ends`, () => {
    storage(works);
    keep(LINK, pass(7), NOW);
    keep(OTHER, pass(8, NOW + 30_000), NOW);
    assert.deepEqual([passOf(LINK, NOW)?.case, passOf(OTHER, NOW)?.case], [7, 8]);
    assert.equal(tab.name === '', works, 'the name of the tab is for browsers that keep nothing else');
    assert.deepEqual([passOf(LINK, NOW + 30_000)?.case, passOf(OTHER, NOW + 30_000)], [7, null]);
    keep(OTHER, pass(9), NOW + 60_000);
    assert.equal(passOf(LINK, NOW)?.case, undefined, 'what is over is not kept');
    assert.ok(!`${tab.name}${works ? tab.localStorage?.getItem('matthon.case-links') : ''}`.includes(LINK), 'the link itself is not kept');
  });
}

test('what is kept and is none of ours is nothing', () => {
  for (const text of ['', '[]', '7', 'null', '{"ml_0123456789abcdef":7}', '{"ml_0123456789abcdef":{"secret":1,"until":9e15}}', '{']) {
    tab.localStorage?.setItem('matthon.case-links', text);
    tab.name = `matthon-case-links:${text}`;
    assert.equal(passOf(LINK, NOW), null, text);
  }
});

test('a refusal says whether it was used or is over', () => {
  const refusal = (status: number, kind: string) => new ApiError(status, '', null, null, null, kind);
  assert.equal(refusedBecause(refusal(410, 'case-link-used')), 'used');
  assert.equal(refusedBecause(refusal(410, 'case-link-over')), 'over');
  assert.equal(refusedBecause(refusal(401, 'sign-in')), 'over');
  assert.equal(refusedBecause(refusal(503, 'logins-full')), null);
});

test('Android is asked for its browser by an intent, others get the address', () => {
  const address = 'https://thon.example.vn/vu-viec/7';
  assert.equal(outside('Linux; Android 10; wv Zalo', address), 'intent://thon.example.vn/vu-viec/7#Intent;scheme=https;action=android.intent.action.VIEW;end');
  assert.equal(outside('iPhone; CPU iPhone OS 17_1 Zalo iOS', address), address);
});
