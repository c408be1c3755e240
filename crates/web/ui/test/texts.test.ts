import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import en from '../texts/en.json';
import vi from '../texts/vi.json';

// The tests run from the folder of the page, built or not.
const ui = process.cwd();
const health = readFileSync(path.join(ui, '../../domain/src/health.rs'), 'utf8');
const pairs = Object.entries({ vi, en }) as [string, { [key: string]: string }][];

test('both languages have the same keys', () => {
  assert.deepEqual(Object.keys(en).sort(), Object.keys(vi).sort());
});

test('no text is empty, all are NFC, none has stray space', () => {
  for (const [lang, texts] of pairs) {
    for (const [key, text] of Object.entries(texts)) {
      assert.ok(text.trim() !== '' && text.trim() === text, `${lang} ${key}`);
      assert.equal(text, text.normalize('NFC'), `${lang} ${key}`);
    }
  }
});

test('both languages use the same variables', () => {
  const variables = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const [key, text] of Object.entries(vi)) {
    assert.deepEqual(variables((en as { [key: string]: string })[key] ?? ''), variables(text), key);
  }
});

test('the page reminds and invites: words of punishment and accusation are not in it', () => {
  // Whole syllables; `bắt` also keeps out `bắt đầu`, for which there are other words.
  const forbidden = /(?<!\p{L})(phạt|bắt|tội|đối tượng|thủ phạm|bác|bạn)(?!\p{L})/iu;
  for (const [key, text] of Object.entries(vi)) assert.doesNotMatch(text, forbidden, key);
});

test('every state and note of the core has its words, and what to do', () => {
  const keys = (type: string) => {
    const body = health.slice(health.indexOf(`impl ${type} {`));
    return [...body.slice(0, body.indexOf('\n}\n')).matchAll(/Self::\w+ => "([a-z0-9-]+)"/g)].map((m) => m[1] ?? '');
  };
  const [links, notes] = [keys('Link'), keys('Note')];
  assert.ok(links.length >= 15 && notes.length >= 8, `${links.length} ${notes.length}`);
  for (const link of links) {
    assert.ok(`cam.${link}` in vi, link);
    assert.ok(`cam.${link}.todo` in vi, link);
  }
  for (const note of notes) assert.ok(`note.${note}` in vi, note);
});

test('every state of a folder and of a disk has its words, and what to do', () => {
  const paths = readFileSync(path.join(ui, '../../ring/src/paths.rs'), 'utf8');
  const body = paths.slice(paths.indexOf('pub fn as_str'));
  const states = [...body.slice(0, body.indexOf('\n    }\n')).matchAll(/Self::\w+ => "([a-z-]+)"/g)].map((m) => m[1] ?? '');
  assert.ok(states.length >= 6, `${states.length}`);
  for (const state of states) {
    assert.ok(`disk.${state}.word` in vi, state);
    assert.ok(state === 'ok' || `disk.${state}` in vi, state);
  }
  for (const state of ['ok', 'warning', 'failing', 'unmeasured']) assert.ok(`smart.${state}.word` in vi, state);
  const smart = readFileSync(path.join(ui, '../../matthon/src/disks/smart.rs'), 'utf8');
  const reasons = [...smart.matchAll(/say\([^,]+, "(\w+)"/g)].map((m) => m[1] ?? '');
  assert.ok(reasons.length >= 9, `${reasons.length}`);
  for (const reason of reasons) assert.ok(`smart.why.${reason}` in vi, reason);
});

test('evidence that is gone, held or not copied has its words', () => {
  const room = readFileSync(path.join(ui, '../../cases/src/room.rs'), 'utf8');
  const body = room.slice(room.indexOf('pub enum Fullness {'));
  const states = [...body.slice(0, body.indexOf('\n}\n')).matchAll(/^ {4}(\w+),/gm)].map((m) => (m[1] ?? '').toLowerCase());
  assert.equal(states.length, 3);
  for (const state of states) assert.ok(`evidence.${state}.word` in vi, state);
  for (const key of ['evidence.filling', 'evidence.full', 'case.evidence_gone', 'case.clip_range_only', 'export.gone', 'keep.range_only']) assert.ok(key in vi, key);
  for (const line of ['held', 'let-go', 'evidence-gone']) assert.ok(`history.${line}` in vi, line);
});

test('every state of the certificate, and all that needs an address from outside, has its words', () => {
  const shown = readFileSync(path.join(ui, '../../door/src/shown.rs'), 'utf8');
  const body = shown.slice(shown.indexOf('impl State {'));
  const states = [...body.slice(0, body.indexOf('\n}\n')).matchAll(/Self::\w+ => "([a-z]+)"/g)].map((m) => m[1] ?? '');
  assert.ok(states.length >= 5, `${states}`);
  for (const state of states) for (const key of [`door.${state}.word`, ...(state === 'good' ? [] : [`door.${state}`])]) assert.ok(key in vi, key);
  const needs = /NEEDS_PUBLIC[^=]*= \[([^\]]*)\]/.exec(readFileSync(path.join(ui, '../src/reach.rs'), 'utf8'))?.[1] ?? '';
  const names = [...needs.matchAll(/"(\w+)"/g)].map((m) => m[1] ?? '');
  assert.ok(names.length >= 3, needs);
  for (const name of names) assert.ok(`door.needs.${name}` in vi, name);
});

test('every state of detection, of a case, and every kind of rule has its words', () => {
  const words = (file: string, from: string) => {
    const text = readFileSync(path.join(ui, '../..', file), 'utf8');
    const body = text.slice(text.indexOf(from));
    return [...body.slice(0, body.indexOf('\n}\n')).matchAll(/\w+ =>? "([a-z0-9-]+)"/g)].map((m) => m[1] ?? '');
  };
  const vision = words('vision/src/supervisor/status.rs', 'impl VisionState {');
  const states = words('domain/src/case.rs', 'CaseState,');
  const kinds = words('domain/src/violation.rs', 'impl ViolationKind {');
  assert.ok(vision.length >= 7 && states.length >= 3 && kinds.length >= 2, `${vision} / ${states} / ${kinds}`);
  for (const state of vision) for (const key of [`vision.${state}.word`, ...(state === 'ok' ? [] : [`vision.${state}`])]) assert.ok(key in vi, key);
  for (const state of states) assert.ok(`case.${state}` in vi, state);
  for (const kind of kinds) assert.ok(`kind.${kind}` in vi, kind);
  const audited = words('domain/src/audit.rs', "pub fn as_str(self) -> &'static str {");
  const reasons = words('domain/src/gap.rs', "pub fn as_str(self) -> &'static str {");
  assert.ok(audited.length >= 15 && reasons.length >= 8, `${audited} / ${reasons}`);
  for (const what of audited) assert.ok(`audit.${what}` in vi, what);
  for (const reason of reasons) assert.ok(`gap.${reason}` in vi, reason);
});

test('every text is used, and no text stands in the code', () => {
  const sources: string[] = [];
  const walk = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const at = path.join(folder, entry.name);
      if (entry.isDirectory()) walk(at);
      else if (/\.tsx?$/.test(entry.name)) sources.push(readFileSync(at, 'utf8'));
    }
  };
  walk(path.join(ui, 'src'));
  const code = sources.join('\n');
  // Families whose last part is computed: the state of a camera, the role of a person…
  const computed = /^(cam|note|ring|role|nav|live|clock|kind|class|case|measured|history|vision|detection|gap|audit|export|disk|smart|evidence|door|colour|heading)\./;
  for (const key of Object.keys(vi)) if (!computed.test(key)) assert.ok(code.includes(`'${key}'`), `${key} is not used`);
  const spoken = sources.flatMap((s) => s.split('\n')).filter((line) => !/^\s*(\/\/|\/\*|\*)/.test(line) && !line.includes('://') && /['"`>][^'"`<]*[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]/iu.test(line.replace(/\/\/.*$/, '')));
  assert.deepEqual(spoken, []);
});
