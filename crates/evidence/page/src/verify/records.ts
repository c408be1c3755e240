// A film and its records: every sample hashed again, every chain followed, nothing in the film that was not recorded. The order of
// what is asked is that of `matthon verify`, so that both find the same.

import type { Archive } from './archive';
import { type Task, Unreadable, Window, byBytes, hex, same } from './bytes';
import { BadChain, ChainReader, sampleOf, type Entry } from './chain';
import { chainAfter } from './header';
import { cameraOf, type Gap, type Manifest, type Track } from './manifest';
import { MediaHasher } from './media';
import { micros } from './moment';
import type { Findings, What } from './verdict';

/** Bytes of a film read at once; streams lie interleaved, so a few such pieces are held. */
const FILM_PIECE = 1 << 20;
const FILM_PIECES = 4;

/** What has passed of one stream. */
interface Passed {
  records: bigint;
  first: bigint;
  last: bigint;
  before: Uint8Array | null;
  chain: Uint8Array;
  end: bigint;
  filmEnd: number;
}

const ONE = BigInt(1);

/** A film whose records name so many stretches that do not lie side by side is none: a week of two streams has three million. */
const RANGES_MAX = 1 << 22;

/**
 * Which bytes of a film belong to samples, neighbours joined: what two streams share, others could hide behind. And how many more
 * may be read for them.
 */
class Ranges {
  private readonly list: [number, number][] = [];

  constructor(private left: number) {}

  /** Pays for a sample that lies in the film. False: its records name more than there can be. */
  pay(size: number): boolean {
    const enough = size <= this.left;
    this.left = enough ? this.left - size : 0;
    return enough;
  }

  /** Nothing further is looked at: what was found so far says enough. */
  exhausted(): boolean {
    return this.left === 0 || this.list.length > RANGES_MAX;
  }

  add(from: number, to: number): void {
    const last = this.list[this.list.length - 1];
    if (last && last[1] === from) last[1] = to;
    else this.list.push([from, to]);
  }

  /** Whether no byte belongs to two. */
  apart(): boolean {
    this.list.sort((a, b) => a[0] - b[0]);
    return this.list.every((range, n) => n === 0 || (this.list[n - 1] as [number, number])[1] <= range[0]);
  }
}

export async function check(
  archive: Archive, manifest: Manifest, film: string, chain: string, findings: Findings, task: Task,
): Promise<void> {
  const [filmBytes, chainBytes] = [archive.member(film), archive.member(chain)];
  // That they are missing was found before.
  if (!filmBytes || !chainBytes) return findings.add('records', chain);
  const window = new Window(filmBytes, FILM_PIECE, FILM_PIECES);
  const reader = new ChainReader(chainBytes);
  const tracks = new Map<string, Track>();
  for (const t of manifest.tracks) if (t.file === film && t.chain_file === chain) tracks.set(t.stream, t);
  const passed = new Map<string, Passed>();
  // Every byte belongs to one sample: twice its length is more than any film needs, damaged ones too.
  const ranges = new Ranges(filmBytes.len * 2 + 1);
  let inFilm = 0;
  while (!ranges.exhausted()) {
    const begun = reader.position;
    let entry: Entry | null;
    try {
      entry = await reader.next();
    } catch (error) {
      if (!(error instanceof BadChain || error instanceof Unreadable)) throw error;
      findings.add('records', chain);
      break;
    }
    if (!entry) break;
    const h = entry.header;
    const track = tracks.get(h.stream);
    if (!track) {
      tell(findings, 'track', chain, entry);
      await task.add(reader.position - begun);
      continue;
    }
    const p = passed.get(h.stream);
    const hashed = await samples(entry, reader, window, filmBytes.len, Number(track.samples_at), p ? p.filmEnd : 0, ranges, task);
    let good = false;
    if (hashed) {
      inFilm += hashed.used;
      findings.verdict.bytes += hashed.used;
      good = same(hashed.hash, h.mediaHash);
    }
    if (!good) tell(findings, 'media', film, entry);
    good = follow(entry, p, manifest.gaps, chain, findings) && good;
    passed.set(h.stream, {
      records: (p ? p.records : BigInt(0)) + ONE, first: p ? p.first : h.seq, last: h.seq, before: p ? p.before : entry.before,
      chain: h.chain, end: h.wallEnd, filmEnd: hashed ? hashed.filmEnd : p ? p.filmEnd : 0,
    });
    if (good) findings.verdict.records += 1;
    await task.add(reader.position - begun);
  }
  close(tracks, passed, film, chain, !ranges.exhausted() && ranges.apart() ? inFilm : -1, filmBytes.len, findings);
}

/** What the manifest says of the streams, and whether the records' samples are all there is in the film. */
function close(
  tracks: Map<string, Track>, passed: Map<string, Passed>, film: string, chain: string, inFilm: number, filmLen: number,
  findings: Findings,
): void {
  const inOrder = [...tracks.values()].sort((a, b) => byBytes(a.stream, b.stream));
  for (const t of inOrder) {
    const p = passed.get(t.stream);
    const right = p !== undefined && p.records === t.records && p.first === t.first && p.last === t.last
      && (p.before ? hex(p.before) : '') === t.chain_before && hex(p.chain) === t.chain_after;
    if (!right) findings.add('track', chain, cameraOf(t.stream), micros(t.from.utc), micros(t.to.utc));
  }
  const begin = inOrder[0] ? inOrder[0].samples_at : BigInt(0);
  if (BigInt(inFilm) + begin !== BigInt(filmLen) || inOrder.some((t) => t.samples_at !== begin)) findings.add('foreign', film);
}

/** The hash of a record's samples, where the last of them ends in the film, and how many bytes of the film they are. */
interface Hashed {
  hash: Uint8Array;
  filmEnd: number;
  used: number;
}

/** Null when one of the samples lies where it cannot. */
async function samples(
  entry: Entry, reader: ChainReader, film: Window, filmLen: number, from: number, last: number, ranges: Ranges, task: Task,
): Promise<Hashed | null> {
  const hasher = new MediaHasher(entry.parameters, entry.header.dtsHigh, entry.header.dtsLow);
  let [used, here] = [0, entry.here];
  try {
    for (let n = 0; n < entry.count; n++) {
      const s = sampleOf(entry, n);
      hasher.begin(s);
      if (s.at === null) {
        hasher.bytes(await reader.here(here, s.size));
        here += s.size;
        continue;
      }
      // In the order of the film, none twice.
      if (s.at < from || s.at < last || s.at + s.size > filmLen || !ranges.pay(s.size)) return null;
      const bytes = film.at(s.at, s.size) || (await film.get(s.at, s.size));
      if (!bytes) return null;
      hasher.bytes(bytes);
      last = s.at + s.size;
      ranges.add(s.at, last);
      used += s.size;
      await task.add(s.size);
    }
  } catch (error) {
    if (error instanceof Unreadable) return null;
    throw error;
  }
  return { hash: hasher.finish(), filmEnd: last, used };
}

/** Whether a record goes on from the one before it. */
function follow(entry: Entry, p: Passed | undefined, gaps: Gap[], file: string, findings: Findings): boolean {
  const h = entry.header;
  let good = true;
  if (p && p.last + ONE === h.seq) {
    good = same(chainAfter(h, p.chain), h.chain);
  } else if (p && !(h.seq > p.last && told(gaps, h.stream, p.end, h.wall))) {
    findings.add('record-missing', file, h.camera, p.end, h.wall);
    return false;
  }
  if (entry.before && !same(chainAfter(h, entry.before), h.chain)) good = false;
  if (!good) tell(findings, 'chain', file, entry);
  return good;
}

/** Whether the manifest tells of a gap that covers this time. */
function told(gaps: Gap[], stream: string, from: bigint, to: bigint): boolean {
  return gaps.some((g) => {
    if (g.stream !== stream) return false;
    const [begin, end] = [micros(g.from.utc), micros(g.to.utc)];
    return begin !== null && begin <= from && end !== null && end >= to;
  });
}

function tell(findings: Findings, what: What, file: string, entry: Entry): void {
  const h = entry.header;
  findings.add(what, file, h.camera, h.wall, h.wallEnd);
}
