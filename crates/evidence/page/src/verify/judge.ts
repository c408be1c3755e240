// The verdict over a package: whether every byte is what the box signed, and every picture what it recorded. Nothing here knows of
// the page; the same runs in a browser and in node.

import { sha256 } from '@noble/hashes/sha2.js';
import { Archive } from './archive';
import { Stopped, Task, Unreadable, byBytes, hex, same, utf8 } from './bytes';
import { cameraOf, readManifest, type FileEntry, type Manifest } from './manifest';
import { micros } from './moment';
import { check } from './records';
import { fingerprint, sameKey, signer } from './signature';
import { Findings, type Verdict } from './verdict';

export { Stopped, Task };
export { fingerprint, sameKey } from './signature';
export type { Manifest } from './manifest';
export type { Finding, Verdict, What } from './verdict';

const MANIFEST = 'manifest.json';
const SIGNATURE = 'manifest.sig';
const SUMS = 'SHA256SUMS';
/** A manifest larger than this is none. */
const TEXT_MAX = 64 << 20;

export interface Judgement {
  verdict: Verdict;
  /** What the package says of itself, when that can be read. */
  manifest: Manifest | null;
}

/** Judges a package. `key`: the fingerprint the judge knows of; another box's package is refused then. */
export async function judge(file: Blob, key?: string, task: Task = new Task()): Promise<Judgement> {
  const findings = new Findings();
  const verdict = findings.verdict;
  const none = { verdict, manifest: null };
  const archive = await Archive.open(file, findings);
  if (!archive) {
    findings.add('not-a-package', '');
    return none;
  }
  const text = await archive.text(MANIFEST, TEXT_MAX);
  const mark = await archive.text(SIGNATURE, 4096);
  if (!text || !mark) {
    for (const name of [MANIFEST, SIGNATURE]) if (!archive.member(name)) findings.add('file-missing', name);
    findings.add('not-a-package', '');
    return none;
  }
  const manifest = readManifest(text);
  if (!manifest) {
    findings.add('manifest', MANIFEST);
    return none;
  }
  signature(manifest, mark, text, key, findings);
  const { films, more } = pairs(manifest);
  const length = (name: string) => (archive.member(name) || { len: 0 }).len;
  task.total = manifest.files.reduce((sum, f) => sum + length(f.name), 0)
    + films.filter(([film, chain]) => !more.has(chain + '\n' + film)).reduce((sum, [film, chain]) => sum + length(film) + length(chain), 0);
  await files(archive, manifest, findings, task);
  await sums(archive, manifest, text, mark, findings);
  for (const [film, chain] of films) {
    if (more.has(chain + '\n' + film)) findings.add('track', chain);
    else await check(archive, manifest, film, chain, findings, task);
  }
  // A master that no track speaks of would be looked at by nobody.
  const spoken = new Set(manifest.tracks.map((t) => t.file));
  for (const f of manifest.files) if (f.what === 'master' && !spoken.has(f.name)) findings.add('track', f.name);
  return { verdict, manifest };
}

function signature(manifest: Manifest, mark: Uint8Array, text: Uint8Array, key: string | undefined, findings: Findings): void {
  const by = signer(mark, text);
  if (!by) return findings.add('signature', SIGNATURE);
  const verdict = findings.verdict;
  verdict.fingerprint = fingerprint(by);
  verdict.key_matches = key === undefined ? null : sameKey(key, by);
  if (verdict.key_matches === false) findings.add('other-key', SIGNATURE);
  if (manifest.box.key !== hex(by)) findings.add('signature', SIGNATURE);
}

/**
 * Every film with the file of its records, each pair once, in order; and those that are one too many: a film has one file of
 * records, with every other one it would be read again.
 */
function pairs(manifest: Manifest): { films: [string, string][]; more: Set<string> } {
  const found = new Map<string, [string, string]>();
  for (const t of manifest.tracks) found.set(JSON.stringify([t.file, t.chain_file]), [t.file, t.chain_file]);
  const films = [...found.values()].sort((a, b) => byBytes(a[0], b[0]) || byBytes(a[1], b[1]));
  const [seenFilms, seenChains, more] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const [film, chain] of films) {
    if (seenFilms.has(film) || seenChains.has(chain)) more.add(chain + '\n' + film);
    seenFilms.add(film);
    seenChains.add(chain);
  }
  return { films, more };
}

/** Every file the manifest names, byte for byte, and no other. */
async function files(archive: Archive, manifest: Manifest, findings: Findings, task: Task): Promise<void> {
  const named = new Set([MANIFEST, SIGNATURE, SUMS]);
  for (const f of manifest.files) {
    if (named.has(f.name)) {
      findings.add('file-extra', f.name);
      continue;
    }
    named.add(f.name);
    const member = archive.member(f.name);
    if (!member) {
      findings.add('file-missing', f.name);
      continue;
    }
    try {
      const sum = await member.sha256(task);
      if (sum === f.sha256 && BigInt(member.len) === f.bytes) findings.verdict.files += 1;
      else changed(manifest, f, findings);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      findings.add('unreadable', f.name);
    }
  }
  for (const name of archive.names()) if (!named.has(name)) findings.add('file-extra', name);
}

/** A changed file, with the camera and the time of it, where it is a film's. */
function changed(manifest: Manifest, f: FileEntry, findings: Findings): void {
  const track = manifest.tracks.find((t) => t.file === f.name || t.chain_file === f.name);
  if (!track) return findings.add('file-changed', f.name);
  findings.add('file-changed', f.name, cameraOf(track.stream), micros(track.from.utc), micros(track.to.utc));
}

async function sums(
  archive: Archive, manifest: Manifest, text: Uint8Array, mark: Uint8Array, findings: Findings,
): Promise<void> {
  const own = `${hex(sha256(text))}  ${MANIFEST}\n${hex(sha256(mark))}  ${SIGNATURE}\n`;
  const want = manifest.files.map((f) => `${f.sha256}  ${f.name}\n`).join('') + own;
  const have = await archive.text(SUMS, TEXT_MAX);
  if (!have) findings.add('file-missing', SUMS);
  else if (!same(have, utf8(want))) findings.add('sums', SUMS);
}
