import assert from 'node:assert/strict';
import { test } from 'node:test';
import en from '../texts/en.json';
import vi from '../texts/vi.json';
import { labelOf, sameKey, standingOf, type Browser } from '../src/push/standing';
import { noticeOf } from '../src/sw/notice';

const words = { vi, en };
const LINE = 'Cổng chợ – nghi vấn xe tải đỗ sai chỗ, đã 4 phút – 17:42';
const message = { id: 12, site: 'Thôn Duyên Hy', sentence: LINE, time: '2026-11-23T10:42:00Z', place: 'Cổng chợ', url: '/vu-viec/12', open: true, language: 'vi', image: '/m/ab12' };

test('a message becomes a notice that stands alone', () => {
  assert.deepEqual(noticeOf(JSON.stringify(message), words), {
    title: 'Thôn Duyên Hy', body: LINE, tag: 'case-12', lang: 'vi', url: '/vu-viec/12', id: 12, image: '/m/ab12', at: Date.UTC(2026, 10, 23, 10, 42), open: true,
    actions: [{ action: 'seen', title: vi['push.seen'] }, { action: 'open', title: vi['push.open'] }],
  });
  const late = noticeOf(JSON.stringify({ ...message, late: 'Tin gửi chậm.', language: 'en' }), words);
  assert.deepEqual([late.body, late.lang, late.actions[0]?.title], [`${LINE}\nTin gửi chậm.`, 'en', en['push.seen']]);
  const answered = noticeOf(JSON.stringify({ ...message, open: false }), words);
  assert.deepEqual([answered.tag, answered.actions], ['case-12', []]);
});

test('whatever comes, something is shown, and a tap stays on the page', () => {
  for (const odd of [null, '', '{', '[]', '7', 'null', '{"id":-1}', '{"id":1.5,"sentence":7}']) {
    const { title, body, url, id } = noticeOf(odd, words);
    assert.deepEqual([title, body, url, id], [vi['app.name'], vi['push.fallback'], '/vu-viec', null], String(odd));
  }
  const evil = noticeOf(JSON.stringify({ ...message, url: 'https://evil.example/', image: 'https://evil.example/x.jpg' }), words);
  assert.deepEqual([evil.url, evil.image], ['/vu-viec/12', null]);
});

test('each browser is told what it can do', () => {
  const android = 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36';
  const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Version/17.1 Mobile Safari/604.1';
  const fine: Browser = { secure: true, agent: android, touch: true, standalone: false, able: true, permission: 'default' };
  const table: [Partial<Browser>, string][] = [
    [{}, 'ask'],
    [{ permission: 'granted' }, 'granted'],
    [{ permission: 'denied' }, 'denied'],
    [{ able: false }, 'unsupported'],
    [{ permission: null }, 'unsupported'],
    [{ secure: false, able: false }, 'insecure'],
    [{ agent: `${android} Zalo android/12` }, 'zalo'],
    [{ agent: iphone, able: false, permission: null }, 'iphone'],
    [{ agent: iphone, standalone: true }, 'ask'],
    [{ agent: iphone, standalone: true, able: false, permission: null }, 'unsupported'],
    [{ agent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X)', touch: true }, 'iphone'],
    [{ agent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X)', touch: false }, 'ask'],
  ];
  for (const [change, expected] of table) assert.equal(standingOf({ ...fine, ...change }), expected, JSON.stringify(change));
  assert.deepEqual([labelOf(android), labelOf(iphone), labelOf('')], ['Chrome, Android', 'Safari, iPhone', '']);
});

test('a key is known again, whichever way it is written', () => {
  const bytes = Uint8Array.from([0xfb, 0xff, 0xfe, 4]);
  assert.ok(sameKey(bytes.buffer, '-__-BA'));
  assert.ok(!sameKey(bytes.buffer, '-__-BB'));
  assert.ok(!sameKey(null, '-__-BA'));
});
