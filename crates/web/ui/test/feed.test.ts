import assert from 'node:assert/strict';
import { test } from 'node:test';
import { caseId, Feed, POLL_MS, SILENT_MS, type Source } from '../src/cases/feed';
import { Backoff } from '../src/player/backoff';

class Fake implements Source {
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  private heard: { [type: string]: (event: { data: unknown }) => void } = {};

  addEventListener(type: string, heard: (event: { data: unknown }) => void): void {
    this.heard[type] = heard;
  }

  say(type: string, data: unknown): void {
    this.heard[type]?.({ data });
  }

  close(): void {
    this.closed = true;
  }
}

/** A feed on a clock that stands until it is moved. */
function set() {
  let now = 0;
  let last = 0;
  const pending = new Map<number, { at: number; run: () => void }>();
  const sources: Fake[] = [];
  const changes: (number | null)[] = [];
  const told = { refused: 0, beats: [] as unknown[], motion: [] as unknown[] };
  const feed = new Feed({
    open: () => {
      const source = new Fake();
      sources.push(source);
      return source;
    },
    change: (id) => changes.push(id),
    motion: (camera, moving) => told.motion.push([camera, moving]),
    still: () => told.motion.push('still'),
    beat: (at) => told.beats.push(at),
    refused: () => {
      told.refused += 1;
    },
    timers: {
      set: (run, ms) => {
        last += 1;
        pending.set(last, { at: now + ms, run });
        return last;
      },
      clear: (timer) => void pending.delete(timer as number),
    },
    backoff: new Backoff(() => 1),
  });
  const wait = (ms: number) => {
    const end = now + ms;
    for (;;) {
      const due = [...pending].filter(([, one]) => one.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      pending.delete(due[0]);
      now = due[1].at;
      due[1].run();
    }
    now = end;
  };
  return { feed, sources, changes, told, wait, pending };
}

test('an opened feed asks for everything once, then tells each case', () => {
  const { feed, sources, changes, told } = set();
  feed.start();
  feed.start();
  assert.equal(sources.length, 1);
  sources[0]?.onopen?.();
  sources[0]?.say('case', '{"id":7,"what":"raised"}');
  sources[0]?.say('case', 'not json');
  sources[0]?.say('beat', '{"now":"2026-11-23T10:00:00Z"}');
  assert.deepEqual(changes, [null, 7, null]);
  assert.deepEqual(told.beats, ['2026-11-23T10:00:00Z']);
});

test('while a connection fails it looks now and then, and stops looking once it stands', () => {
  const { feed, sources, changes, wait } = set();
  feed.start();
  sources[0]?.onerror?.();
  wait(2 * POLL_MS + 1);
  assert.deepEqual(changes, [null, null], 'the browser itself tries again meanwhile');
  assert.equal(sources.length, 1);
  sources[0]?.onopen?.();
  sources[0]?.say('beat', '{}');
  wait(POLL_MS + 1);
  assert.equal(changes.length, 3);
});

test('a refused connection is tried anew, and asks whether the login ended', () => {
  const { feed, sources, told, wait } = set();
  feed.start();
  for (let n = 1; n <= 3; n += 1) {
    const source = sources[n - 1];
    if (source) source.readyState = 2;
    source?.onerror?.();
    assert.equal(told.refused, n);
    assert.equal(source?.closed, true);
    wait(10_000);
    assert.equal(sources.length, n + 1);
  }
});

test('a connection that died without a word is replaced', () => {
  const { feed, sources, wait } = set();
  feed.start();
  sources[0]?.onopen?.();
  wait(SILENT_MS - 1);
  sources[0]?.say('beat', '{}');
  wait(SILENT_MS - 1);
  assert.equal(sources.length, 1);
  wait(11_000);
  assert.equal(sources.length, 2);
  assert.equal(sources[0]?.closed, true);
});

test('stopped, it leaves nothing behind and hears no late word', () => {
  const { feed, sources, changes, wait, pending } = set();
  feed.start();
  sources[0]?.onerror?.();
  feed.stop();
  assert.equal(pending.size, 0);
  sources[0]?.say('case', '{"id":1}');
  sources[0]?.onerror?.();
  sources[0]?.onopen?.();
  wait(100_000);
  assert.deepEqual(changes, []);
  feed.start();
  assert.equal(sources.length, 2);
});

test('the number of a case, or nothing', () => {
  assert.equal(caseId('{"id":12}'), 12);
  for (const odd of ['{"id":"12"}', '{"id":0}', '{"id":1.5}', '[]', 'null', '', 5, undefined]) assert.equal(caseId(odd), null, String(odd));
});

test('what moves is passed on; a connection that ended says nothing of it any more', () => {
  const { feed, sources, told, wait } = set();
  feed.start();
  const first = sources[0] as Fake;
  first.onopen?.();
  first.say('motion', '{"camera":"cho","moving":true}');
  first.say('motion', '{"camera":"cho"}');
  first.say('motion', 'nonsense');
  assert.deepEqual(told.motion, [['cho', true]]);
  wait(SILENT_MS);
  assert.deepEqual(told.motion, [['cho', true], 'still']);
  first.say('motion', '{"camera":"cho","moving":true}');
  assert.equal(told.motion.length, 2, 'it is not listened to');
  feed.stop();
});
