// `manifest.json`: everything a package says about itself, read with every key it must have. Whether it is true does not belong
// here.

import { text } from './bytes';
import { BadJson, parse, type Json, type Thing } from './json';

export const FORMAT = 'matthon-export-1';

export interface Moment {
  utc: string;
  local: string;
}

export interface Track {
  file: string;
  chain_file: string;
  stream: string;
  parameters: string;
  records: bigint;
  first: bigint;
  last: bigint;
  chain_before: string;
  chain_after: string;
  from: Moment;
  to: Moment;
  samples_at: bigint;
}

export interface Gap {
  stream: string;
  from: Moment;
  to: Moment;
  reason: string;
}

export interface FileEntry {
  name: string;
  bytes: bigint;
  sha256: string;
  what: string;
}

export interface Manifest {
  format: string;
  export: {
    id: string; purpose: string; authority: string; officer: string; document: string; exporter: string; role: string;
    made_at: Moment | null;
  };
  box: {
    site: string; controller: string; id: string; key: string; fingerprint: string; software: string;
    models: string[]; rules: string[];
  };
  clock: { source: string; synchronised: boolean; unsynchronised_records: bigint; sentence: string };
  from: Moment;
  to: Moment;
  cameras: {
    id: string; name: string; place: string; direction: string; make: string; serial: string; clock_offset: number | null;
  }[];
  tracks: Track[];
  gaps: Gap[];
  cases: { id: string; kind: string; confirmed_by: string; confirmed_at: Moment | null; why: string }[];
  redaction: string;
  notes: string[];
  files: FileEntry[];
}

/** Reads an object's keys one by one; each must be there once and of its kind. */
class Keys {
  private readonly of: Thing;

  constructor(value: Json) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new BadJson('not an object');
    this.of = value;
  }

  private get(key: string): Json {
    const value = this.of.keys.get(key);
    if (value === undefined || this.of.twice.has(key)) throw new BadJson(`${key} must be there once`);
    return value;
  }

  text(key: string): string {
    return asText(this.get(key));
  }

  bool(key: string): boolean {
    const value = this.get(key);
    if (typeof value !== 'boolean') throw new BadJson(`${key} is neither true nor false`);
    return value;
  }

  whole(key: string): bigint {
    const value = this.get(key);
    if (typeof value !== 'bigint' || value < BigInt(0)) throw new BadJson(`${key} is no whole number`);
    return value;
  }

  /** May be missing. */
  maybe<T>(key: string, read: (value: Json) => T): T | null {
    if (this.of.twice.has(key)) throw new BadJson(`${key} is there twice`);
    const value = this.of.keys.get(key);
    return value === undefined || value === null ? null : read(value);
  }

  thing<T>(key: string, read: (keys: Keys) => T): T {
    return read(new Keys(this.get(key)));
  }

  list<T>(key: string, read: (value: Json) => T): T[] {
    const value = this.get(key);
    if (!Array.isArray(value)) throw new BadJson(`${key} is no list`);
    return value.map(read);
  }
}

function asText(value: Json): string {
  if (typeof value !== 'string') throw new BadJson('not a text');
  return value;
}

function asNumber(value: Json): number {
  if (typeof value !== 'number' && typeof value !== 'bigint') throw new BadJson('not a number');
  return Number(value);
}

const moment = (k: Keys): Moment => ({ utc: k.text('utc'), local: k.text('local') });
const maybeMoment = (k: Keys, key: string): Moment | null => k.maybe(key, (value) => moment(new Keys(value)));

function track(value: Json): Track {
  const k = new Keys(value);
  return {
    file: k.text('file'), chain_file: k.text('chain_file'), stream: k.text('stream'), parameters: k.text('parameters'),
    records: k.whole('records'), first: k.whole('first'), last: k.whole('last'),
    chain_before: k.text('chain_before'), chain_after: k.text('chain_after'),
    from: k.thing('from', moment), to: k.thing('to', moment), samples_at: k.whole('samples_at'),
  };
}

function gap(value: Json): Gap {
  const k = new Keys(value);
  return { stream: k.text('stream'), from: k.thing('from', moment), to: k.thing('to', moment), reason: k.text('reason') };
}

function file(value: Json): FileEntry {
  const k = new Keys(value);
  return { name: k.text('name'), bytes: k.whole('bytes'), sha256: k.text('sha256'), what: k.text('what') };
}

function camera(value: Json): Manifest['cameras'][number] {
  const k = new Keys(value);
  return {
    id: k.text('id'), name: k.text('name'), place: k.text('place'), direction: k.text('direction'), make: k.text('make'),
    serial: k.text('serial'), clock_offset: k.maybe('clock_offset', asNumber),
  };
}

function caseWord(value: Json): Manifest['cases'][number] {
  const k = new Keys(value);
  return {
    id: k.text('id'), kind: k.text('kind'), confirmed_by: k.text('confirmed_by'), confirmed_at: maybeMoment(k, 'confirmed_at'),
    why: k.text('why'),
  };
}

function whole(k: Keys): Manifest {
  return {
    format: k.text('format'),
    export: k.thing('export', (e) => ({
      id: e.text('id'), purpose: e.text('purpose'), authority: e.text('authority'), officer: e.text('officer'),
      document: e.text('document'), exporter: e.text('exporter'), role: e.text('role'), made_at: maybeMoment(e, 'made_at'),
    })),
    box: k.thing('box', (b) => ({
      site: b.text('site'), controller: b.text('controller'), id: b.text('id'), key: b.text('key'),
      fingerprint: b.text('fingerprint'), software: b.text('software'), models: b.list('models', asText),
      rules: b.list('rules', asText),
    })),
    clock: k.thing('clock', (c) => ({
      source: c.text('source'), synchronised: c.bool('synchronised'),
      unsynchronised_records: c.whole('unsynchronised_records'), sentence: c.text('sentence'),
    })),
    from: k.thing('from', moment), to: k.thing('to', moment),
    cameras: k.list('cameras', camera), tracks: k.list('tracks', track), gaps: k.list('gaps', gap),
    cases: k.list('cases', caseWord), redaction: k.text('redaction'), notes: k.list('notes', asText),
    files: k.list('files', file),
  };
}

/** The manifest, or null when the bytes are none of this version. */
export function readManifest(bytes: Uint8Array): Manifest | null {
  const words = text(bytes);
  if (words === null) return null;
  try {
    const manifest = whole(new Keys(parse(words)));
    return manifest.format === FORMAT ? manifest : null;
  } catch (error) {
    if (error instanceof BadJson) return null;
    throw error;
  }
}

/** The camera of a stream, when it can be one. */
export function cameraOf(stream: string): string | null {
  const id = stream.split('/')[0] || '';
  return /^[a-z0-9-]{1,48}$/.test(id) ? id : null;
}
