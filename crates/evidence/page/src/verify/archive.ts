// The archive's directory: which files there are and where their bytes lie. Only stored files with plain names are files of a
// package. What is in them does not belong here.

import { type Reader, ZipReader } from '@zip.js/zip.js/lib/zip-core-reader.js';
import { Stretch, Unreadable, read } from './bytes';
import type { Findings } from './verdict';

/** More files than a package ever has. */
const MEMBERS_MAX = 10_000;
/** A directory of that many files with long names is smaller. */
const DIRECTORY_MAX = 16 << 20;
const LOCAL_HEADER = 30;

/** Reads for the directory only: a made-up length must not take memory. */
class Directory {
  readonly size: number;

  constructor(private readonly blob: Blob) {
    this.size = blob.size;
  }

  async readUint8Array(offset: number, length: number): Promise<Uint8Array> {
    if (length > DIRECTORY_MAX) throw new Error('the directory is too large');
    return read(this.blob, offset, offset + length);
  }
}

/** Names of files: no way out of the folder somebody unpacks into. */
export function plain(name: string): boolean {
  const part = (p: string) => p !== '' && p.charAt(0) !== '.' && /^[A-Za-z0-9\-_.]+$/.test(p);
  return name.length <= 200 && name.split('/').every(part);
}

/** Where the bytes of a file begin, as its own header says; null when there is no such header. */
async function dataStart(blob: Blob, header: number): Promise<number | null> {
  const bytes = await read(blob, header, header + LOCAL_HEADER);
  if (bytes.length < LOCAL_HEADER) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== 0x04034b50) return null;
  return header + LOCAL_HEADER + view.getUint16(26, true) + view.getUint16(28, true);
}

/** A file: its bytes, cut to what there is, and its length as the directory tells it. */
interface Member {
  bytes: Stretch;
  len: number;
}

export class Archive {
  private readonly members = new Map<string, Member>();
  /** Where they lie. Two in one place would be read twice, ten thousand of them ten thousand times. */
  private readonly taken: [number, number][] = [];

  private constructor(private readonly blob: Blob) {}

  /** Reads the directory; what cannot be a file of a package is told. Null: it is no archive. */
  static async open(blob: Blob, findings: Findings): Promise<Archive | null> {
    const archive = new Archive(blob);
    const found: { name: string; stored: boolean; header: number; len: number }[] = [];
    try {
      // Two ends of which each could be the archive's are refused, odd names are told below.
      const zip = new ZipReader(new Directory(blob) as unknown as Reader<Blob>, { strictness: 'balanced', filenameValidation: 'tolerant' });
      for await (const entry of zip.getEntriesGenerator()) {
        if (found.length >= MEMBERS_MAX) return null;
        // A name given twice over, in two encodings, is none.
        const raw = new TextDecoder('utf-8', { ignoreBOM: true }).decode(entry.rawFilename);
        const stored = entry.compressionMethod === 0 && entry.uncompressedSize === entry.compressedSize && raw === entry.filename;
        found.push({ name: raw, stored, header: entry.offset, len: entry.uncompressedSize });
      }
    } catch {
      return null;
    }
    for (const { name, stored, header, len } of found) await archive.add(name, stored, header, len, findings);
    return archive;
  }

  private async add(name: string, stored: boolean, header: number, len: number, findings: Findings): Promise<void> {
    let start: number | null = null;
    try {
      start = await dataStart(this.blob, header);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
    }
    if (start === null) findings.add('unreadable', '');
    else if (!stored || !plain(name) || this.members.has(name) || !this.apart(start, start + len)) findings.add('file-extra', name);
    else this.members.set(name, { bytes: new Stretch(this.blob, start, len), len });
  }

  /** Takes a place, unless some of it is taken. Empty files take none. */
  private apart(from: number, to: number): boolean {
    if (from === to) return true;
    if (this.taken.some(([begin, end]) => begin < to && from < end)) return false;
    this.taken.push([from, to]);
    return true;
  }

  /** All names in order. */
  names(): string[] {
    return [...this.members.keys()].sort();
  }

  member(name: string): Stretch | undefined {
    const member = this.members.get(name);
    return member && member.bytes;
  }

  /** A small file whole, or null. */
  async text(name: string, most: number): Promise<Uint8Array | null> {
    const member = this.members.get(name);
    if (!member || member.len > most || member.bytes.len !== member.len) return null;
    try {
      return await member.bytes.whole();
    } catch (error) {
      if (error instanceof Unreadable) return null;
      throw error;
    }
  }
}
