// Bytes of the chosen file: read in pieces, from anywhere, never more at once than the caller names. Hexadecimal and order of
// texts live here too. What the bytes mean does not belong here.

import { sha256 } from '@noble/hashes/sha2.js';

/** Bytes read at once when a file is read from front to back. */
const PIECE = 2 << 20;

/** The browser cannot read the file any more: it was moved, changed, or the stick was pulled out. */
export class Unreadable extends Error {}

/** Somebody pressed Stop. */
export class Stopped extends Error {}

function buffer(blob: Blob): Promise<ArrayBuffer> {
  if (typeof blob.arrayBuffer === 'function') return blob.arrayBuffer();
  // Browsers before 2019.
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result as ArrayBuffer);
    reader.onerror = () => failed(reader.error);
    reader.readAsArrayBuffer(blob);
  });
}

/** The bytes between two offsets; fewer where the file ends before. */
export async function read(blob: Blob, from: number, to: number): Promise<Uint8Array> {
  try {
    return new Uint8Array(await buffer(blob.slice(from, to)));
  } catch (error) {
    throw new Unreadable(String(error));
  }
}

/** A channel whose other end is closed: what is handed over to it is gone. */
const away = new MessageChannel();
away.port2.close();

/**
 * Gives the memory of bytes that were read back at once; nobody may use them, or parts of them, afterwards. Left to itself a browser
 * with a busy processor collects them late: of a package of 4 GB a hundred such pieces lay around. `ArrayBuffer.transfer` would hide
 * them from its count and keep them.
 */
export function release(bytes: Uint8Array): void {
  away.port1.postMessage(null, [bytes.buffer as ArrayBuffer]);
}

/** How far the work is, whether to go on, and room for the page to be drawn. */
export class Task {
  private done = 0;
  private rested = Date.now();
  total = 0;
  stopped = false;

  constructor(private readonly heard: (part: number) => void = () => undefined) {}

  /** So many bytes more have been looked at. Waits where the page had no turn for a while. */
  async add(bytes: number): Promise<void> {
    this.done += bytes;
    if (this.stopped) throw new Stopped('stopped');
    if (Date.now() - this.rested < 40) return;
    this.heard(this.total > 0 ? Math.min(1, this.done / this.total) : 0);
    await new Promise((turn) => setTimeout(turn, 0));
    this.rested = Date.now();
    if (this.stopped) throw new Stopped('stopped');
  }
}

/** A stretch of the file, cut to what there is. */
export class Stretch {
  readonly start: number;
  readonly len: number;

  constructor(readonly blob: Blob, start: number, len: number) {
    this.start = Math.min(start, blob.size);
    this.len = Math.min(len, blob.size - this.start);
  }

  /** All of it; for small files only. */
  async whole(): Promise<Uint8Array> {
    const bytes = await read(this.blob, this.start, this.start + this.len);
    if (bytes.length !== this.len) throw new Unreadable('short');
    return bytes;
  }

  /** Its SHA-256, piece by piece. */
  async sha256(task: Task): Promise<string> {
    const sha = sha256.create();
    for (let at = 0; at < this.len; at += PIECE) {
      const end = Math.min(at + PIECE, this.len);
      const bytes = await read(this.blob, this.start + at, this.start + end);
      if (bytes.length !== end - at) throw new Unreadable('short');
      sha.update(bytes);
      release(bytes);
      await task.add(end - at);
    }
    return hex(sha.digest());
  }
}

interface Held {
  at: number;
  bytes: Uint8Array;
}

/** Reads a stretch anywhere, holding a few pieces of it: streams that lie interleaved in a film are read side by side. */
export class Window {
  private held: Held[] = [];

  constructor(readonly of: Stretch, private readonly size: number, private readonly pieces: number) {}

  /** So many bytes from an offset, or null when they lie outside. Good until the next call. */
  async get(at: number, len: number): Promise<Uint8Array | null> {
    return this.at(at, len) || this.load(at, len);
  }

  /** The same where the bytes are at hand. */
  at(at: number, len: number): Uint8Array | null {
    for (let n = 0; n < this.held.length; n++) {
      const held = this.held[n];
      if (!held || at < held.at || at + len > held.at + held.bytes.length) continue;
      if (n > 0) {
        this.held.splice(n, 1);
        this.held.unshift(held);
      }
      return held.bytes.subarray(at - held.at, at - held.at + len);
    }
    return null;
  }

  private async load(at: number, len: number): Promise<Uint8Array | null> {
    if (!(at >= 0 && at + len <= this.of.len)) return null;
    const end = Math.min(this.of.len, at + Math.max(len, this.size));
    const bytes = await read(this.of.blob, this.of.start + at, this.of.start + end);
    if (bytes.length !== end - at) throw new Unreadable('short');
    this.held.unshift({ at, bytes });
    while (this.held.length > this.pieces) release((this.held.pop() as Held).bytes);
    return bytes.subarray(0, len);
  }
}

export function hex(bytes: Uint8Array): string {
  let text = '';
  for (let n = 0; n < bytes.length; n++) text += (bytes[n] as number).toString(16).padStart(2, '0');
  return text;
}

/** So many bytes from lowercase hexadecimal, or null. */
export function unhex(text: string, len: number): Uint8Array | null {
  if (text.length !== 2 * len || !/^[0-9a-f]*$/.test(text)) return null;
  return Uint8Array.from({ length: len }, (_, n) => parseInt(text.substr(2 * n, 2), 16));
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let n = 0; n < a.length; n++) if (a[n] !== b[n]) return false;
  return true;
}

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Text of UTF-8 bytes, or null when they are none. */
export function text(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The order of two texts by their bytes. */
export function byBytes(a: string, b: string): number {
  const [x, y] = [utf8(a), utf8(b)];
  for (let n = 0; n < x.length && n < y.length; n++) if (x[n] !== y[n]) return (x[n] as number) - (y[n] as number);
  return x.length - y.length;
}
