import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asChoice, saving } from '../src/player/saver';

test('mobile data is spared unless somebody says otherwise, and never guessed', () => {
  assert.equal(saving('auto', null), false, 'a browser that tells nothing');
  assert.equal(saving('auto', {}), false);
  assert.equal(saving('auto', { type: 'wifi', saveData: false }), false);
  assert.equal(saving('auto', { type: 'cellular' }), true);
  assert.equal(saving('auto', { type: 'wifi', saveData: true }), true);
  assert.equal(saving('off', { type: 'cellular', saveData: true }), false);
  assert.equal(saving('on', null), true);
});

test('what was remembered is one of three', () => {
  assert.deepEqual(['on', 'off', 'auto', 'x', null].map(asChoice), ['on', 'off', 'auto', 'auto', 'auto']);
});
