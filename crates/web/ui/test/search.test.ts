// What is searched for, from what was chosen.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COLOURS, HEADINGS, hourAgo, queryOf, toggled, wrongWith, type Chosen } from '../src/search/query';
import { clock, dayOf } from '../src/time';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const ZONE = 'Asia/Ho_Chi_Minh';
const CHOSEN: Chosen = { day: '2026-11-27', from: '16:42', to: '', camera: '', classes: ['car'], colours: [], headings: [], purpose: 'Mất xe' };

test('times are the village’s, and a day ends at its end', () => {
  const query = queryOf(CHOSEN, ZONE, null);
  assert.deepEqual([query?.from, query?.to], ['2026-11-27T09:42:00.000Z', '2026-11-27T17:00:00.000Z']);
  assert.deepEqual([query?.classes, query?.cameras, query?.before], [['car'], [], null]);
  assert.deepEqual(queryOf({ ...CHOSEN, camera: 'cho' }, ZONE, 'x')?.cameras, ['cho']);
});

test('what is wrong is named, and not sent', () => {
  const wrong = (part: Partial<Chosen>) => wrongWith({ ...CHOSEN, ...part }, ZONE);
  assert.equal(wrong({}), null);
  assert.equal(wrong({ from: 'năm giờ' }), 'time');
  assert.equal(wrong({ to: '16:42' }), 'order');
  assert.equal(wrong({ purpose: '  x ' }), 'purpose');
  assert.equal(queryOf({ ...CHOSEN, purpose: '' }, ZONE, null), null);
});

test('a search begins an hour ago, but not yesterday', () => {
  const ago = (iso: string) => hourAgo(Date.parse(iso), (at) => clock(at, ZONE), (at) => dayOf(at, ZONE));
  assert.equal(ago('2026-11-27T10:42:10Z'), '16:42');
  assert.equal(ago('2026-11-26T17:20:00Z'), '00:00');
});

test('a tap chooses, another one takes back', () => {
  assert.deepEqual(toggled(toggled(['a'], 'b'), 'a'), ['b']);
});

test('the words are those of the core', () => {
  const code = readFileSync(path.join(process.cwd(), '../../domain/src/sighting.rs'), 'utf8');
  const words = (name: string) => {
    const from = code.slice(code.indexOf(`    ${name}, "`));
    return [...from.slice(0, from.indexOf('\n}')).matchAll(/\w+ = "([a-z]+)"/g)].map((m) => m[1]);
  };
  assert.deepEqual([...COLOURS].sort(), words('Colour').sort());
  assert.deepEqual([...HEADINGS].sort(), words('Heading').sort());
});
