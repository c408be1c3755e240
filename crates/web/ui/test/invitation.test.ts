// Links of invitations, and where they are opened.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../src/api';
import { refusedBecause, secretOf } from '../src/people/invitation';
import { insideZalo } from '../src/zalo';

test('a secret is read from behind the # and from nowhere else', () => {
  const secret = `mi_${'0123456789abcdef'.repeat(4)}`;
  assert.equal(secretOf(`#${secret}`), secret);
  for (const other of ['', '#', secret, `#${secret}0`, `#${secret.toUpperCase()}`, '#mi_1']) assert.equal(secretOf(other), null, other);
});

test('Zalo is known by its name, whatever else the browser claims to be', () => {
  assert.equal(insideZalo('Mozilla/5.0 (Linux; Android 10; wv) Chrome/119.0 Mobile Safari/537.36 Zalo android/12090679 ZaloTheme/light'), true);
  assert.equal(insideZalo('Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Zalo iOS/539'), true);
  assert.equal(insideZalo('Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) Version/17.1 Mobile Safari/604.1'), false);
});

test('a refusal says whether it was used or is over', () => {
  const refusal = (status: number, kind: string) => new ApiError(status, '', null, null, null, kind);
  assert.equal(refusedBecause(refusal(410, 'invitation-used')), 'used');
  assert.equal(refusedBecause(refusal(410, 'invitation-over')), 'over');
  assert.equal(refusedBecause(refusal(503, 'logins-full')), null);
  assert.equal(refusedBecause(new Error('x')), null);
});
