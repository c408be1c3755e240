// The chain file: the records a film was cut from, read front to back. Bytes of anybody: no length in it is believed, and one
// record's table of samples is the most that is held. Whether the records are right does not belong here.

import { type Stretch, Unreadable, Window, text } from './bytes';
import { RECORD_HEADER, parseHeader, type Header } from './header';
import type { Piece } from './media';

const MAGIC = 'MTCHAIN1';
/** A part that announces parameters. */
const PARAMETERS = 1;
/** A part that is a record. */
const RECORD = 2;
/** The chain before the record follows. */
const HAS_BEFORE = 1;
const KEY = 1;
const DROPPED = 2;
const PARAMETERS_MAX = 64 << 10;
/** Cameras change their parameters rarely. */
const PARAMETER_SETS_MAX = 256;
/** Bytes of left-out samples of one record. */
const HERE_MAX = 64 << 20;
const SAMPLES_MAX = 1 << 16;
/** The largest sample any ring records. */
export const SAMPLE_MAX = 8 << 20;
const LINE = 21;
/** Parameter sets held at a time; the others are read again. */
const SETS_HELD = 16;

/** The bytes are no chain file. */
export class BadChain extends Error {}

export interface Entry {
  header: Header;
  before: Uint8Array | null;
  parameters: Uint8Array;
  count: number;
  /** One line a sample. */
  table: DataView;
  /** Where the bytes of samples that are not in the film begin, in the chain file. */
  here: number;
}

export interface Sample extends Piece {
  /** Where it begins in the film; null: its bytes are in the chain file. */
  at: number | null;
}

/** One line of a record's table. */
export function sampleOf(entry: Entry, n: number): Sample {
  const [view, at] = [entry.table, n * LINE];
  const flags = view.getUint8(at + 12);
  return {
    duration: view.getUint32(at, true),
    ctsOffset: view.getInt32(at + 4, true),
    size: view.getUint32(at + 8, true),
    randomAccess: (flags & KEY) !== 0,
    // Beyond 2^53 it is not exact, and in no film either.
    at: (flags & DROPPED) !== 0 ? null : view.getUint32(at + 17, true) * 0x1_0000_0000 + view.getUint32(at + 13, true),
  };
}

export class ChainReader {
  private readonly window: Window;
  private at = 0;
  /** Where each parameter set lies. */
  private readonly sets: { at: number; len: number }[] = [];
  private readonly held = new Map<number, Uint8Array>();

  constructor(private readonly file: Stretch) {
    this.window = new Window(file, 256 << 10, 2);
  }

  /** How far it has been read. */
  get position(): number {
    return this.at;
  }

  /** The next bytes, good until the next call. */
  private async take(len: number): Promise<Uint8Array> {
    const bytes = await this.window.get(this.at, len);
    if (!bytes) throw new BadChain('it ends too early');
    this.at += len;
    return bytes;
  }

  private async u32(): Promise<number> {
    const bytes = await this.take(4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  }

  /** The next record; null at the end. Throws `BadChain` or `Unreadable`. */
  async next(): Promise<Entry | null> {
    if (this.at === 0 && text(await this.take(MAGIC.length)) !== MAGIC) throw new BadChain('not a chain file');
    while (this.at < this.file.len) {
      const [kind] = await this.take(1);
      if (kind === RECORD) return this.record();
      if (kind !== PARAMETERS) throw new BadChain('an unknown part');
      const len = await this.u32();
      if (len > PARAMETERS_MAX || this.at + len > this.file.len || this.sets.length >= PARAMETER_SETS_MAX) {
        throw new BadChain('parameters that cannot be');
      }
      this.sets.push({ at: this.at, len });
      this.at += len;
    }
    return null;
  }

  private async record(): Promise<Entry> {
    const flags = (await this.take(1))[0] as number;
    const header = parseHeader(await this.take(RECORD_HEADER));
    if (!header) throw new BadChain('not a record');
    const before = (await this.take(32)).slice();
    const number = await this.take(2);
    const parameters = await this.parameters((number[0] as number) | ((number[1] as number) << 8));
    const count = await this.u32();
    if (count > SAMPLES_MAX) throw new BadChain('too many samples');
    const lines = (await this.take(count * LINE)).slice();
    const entry: Entry = {
      header, before: flags & HAS_BEFORE ? before : null, parameters, count,
      table: new DataView(lines.buffer), here: this.at,
    };
    let here = 0;
    for (let n = 0; n < count; n++) {
      const size = entry.table.getUint32(n * LINE + 8, true);
      const flags = entry.table.getUint8(n * LINE + 12);
      if (size > SAMPLE_MAX || (flags & ~(KEY | DROPPED)) !== 0) throw new BadChain('a sample that cannot be');
      if ((flags & DROPPED) !== 0) here += size;
    }
    if (here > HERE_MAX || this.at + here > this.file.len) throw new BadChain('it ends too early');
    this.at += here;
    return entry;
  }

  private async parameters(number: number): Promise<Uint8Array> {
    const set = this.sets[number];
    if (!set) throw new BadChain('unknown parameters');
    const held = this.held.get(number);
    if (held) return held;
    const bytes = await new Window(this.file, set.len, 1).get(set.at, set.len);
    if (!bytes) throw new Unreadable('short');
    if (this.held.size >= SETS_HELD) this.held.clear();
    this.held.set(number, bytes);
    return bytes;
  }

  /** Bytes of a sample that is not in the film. */
  async here(at: number, len: number): Promise<Uint8Array> {
    const bytes = await this.window.get(at, len);
    if (!bytes) throw new Unreadable('short');
    return bytes;
  }
}
