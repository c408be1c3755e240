import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clock, clockSeconds, date, dayBounds, dayOf, dayText, fromApi, instant, shiftDay, toApi } from '../src/time';

const VN = 'Asia/Ho_Chi_Minh';
const AT = Date.UTC(2026, 10, 23, 10, 42, 5);

test('times are the site\'s, whatever the device\'s', () => {
  assert.equal(clock(AT, VN), '17:42');
  assert.equal(clockSeconds(AT, VN), '17:42:05');
  assert.equal(date(AT, VN), '23/11/2026');
  assert.equal(dayOf(Date.UTC(2026, 10, 23, 17, 0, 0), VN), '2026-11-24');
  assert.equal(clock(Date.UTC(2026, 10, 23, 17, 0, 0), VN), '00:00');
  assert.equal(dayText('2026-11-03'), '03/11/2026');
});

test('an unknown timezone falls to the village\'s', () => {
  assert.equal(clock(AT, 'Mars/Olympus'), '17:42');
});

test('typed times become instants', () => {
  assert.equal(instant('2026-11-23', '17:42:05', VN), AT);
  assert.equal(instant('2026-11-23', ' 7:05 ', VN), Date.UTC(2026, 10, 23, 0, 5, 0));
  for (const bad of ['', '17', '17:60', '25:00', '17:42:99', 'abc']) assert.equal(instant('2026-11-23', bad, VN), null);
});

test('days: bounds and neighbours, also where clocks change', () => {
  assert.deepEqual(dayBounds('2026-11-23', VN), [Date.UTC(2026, 10, 22, 17), Date.UTC(2026, 10, 23, 17)]);
  const [from, to] = dayBounds('2026-10-25', 'Europe/Berlin');
  assert.equal(to - from, 25 * 3_600_000);
  assert.equal(shiftDay('2026-12-31', 1, VN), '2027-01-01');
  assert.equal(shiftDay('2026-03-01', -1, VN), '2026-02-28');
});

test('instants of the API: text with any fraction, or microseconds', () => {
  assert.equal(fromApi('2026-11-23T10:42:05Z'), AT);
  assert.equal(fromApi('2026-11-23T17:42:05.123456+07:00'), AT + 123);
  assert.equal(fromApi(AT * 1000), AT);
  for (const bad of [null, undefined, '', 'soon', Number.NaN, {}]) assert.equal(fromApi(bad), null);
  assert.equal(fromApi(toApi(AT)), AT);
});
