// Reads out of the head of a clip (ISO 14496-12 §8.6) where decoding can begin. Pure.
// The head may be cut short: then it says how much of it is needed. No length field is trusted.

export type Head =
  /** Milliseconds into the clip of the pictures that decode by themselves, in order; null: all of them do. */
  | { keys: number[] | null }
  /** So many bytes of the file are needed to tell. */
  | { need: number };

interface Box {
  type: string;
  from: number;
  to: number;
}

/** Boxes within a parent, also one that reaches beyond what is there. */
function* boxes(view: DataView, from: number, to: number): Generator<Box> {
  let at = from;
  while (at + 8 <= Math.min(to, view.byteLength)) {
    const size = view.getUint32(at);
    // 64-bit and open-ended sizes are for `mdat`, which comes behind all this.
    if (size < 8 || at + size > to) return;
    yield { type: String.fromCharCode(view.getUint8(at + 4), view.getUint8(at + 5), view.getUint8(at + 6), view.getUint8(at + 7)), from: at + 8, to: at + size };
    at += size;
  }
}

/** A table of 32-bit numbers behind `skip` bytes and a count, so many of them an entry; null: it says more than it holds. */
function table(view: DataView, box: Box, each: number): { count: number; at: (entry: number, field: number) => number } | null {
  if (box.to - box.from < 8) return null;
  const count = view.getUint32(box.from + 4);
  if (box.from + 8 + count * each * 4 > box.to) return null;
  return { count, at: (entry, field) => view.getUint32(box.from + 8 + (entry * each + field) * 4) };
}

/** The boxes of the first track, by name. */
type Found = Partial<Record<'mdhd' | 'hdlr' | 'elst' | 'stts' | 'ctts' | 'stss' | 'stsz', Box>>;

const PARENTS = ['moov', 'trak', 'edts', 'mdia', 'minf', 'stbl'];

/** Goes through `parent` up to the sizes of samples, before which all that is asked for lies. How many bytes are needed to go on, or null. */
function walk(view: DataView, parent: { from: number; to: number }, found: Found): number | null {
  let end = parent.from;
  for (const box of boxes(view, parent.from, parent.to)) {
    end = box.to;
    if (PARENTS.includes(box.type)) {
      const need = walk(view, box, found);
      if (need !== null || found.stsz) return need;
    } else {
      (found as Record<string, Box>)[box.type] = box;
      if (found.stsz) return null;
    }
  }
  return end < parent.to && end + 8 > view.byteLength ? end + 8 : null;
}

/** The edit list's beginning: ticks of the movie that are empty, and the media's first tick that is shown. */
function edit(view: DataView, elst: Box | undefined): { wait: number; first: number } | null {
  if (!elst) return { wait: 0, first: 0 };
  if (elst.to - elst.from < 8) return null;
  const wide = view.getUint8(elst.from) === 1;
  const [count, each] = [view.getUint32(elst.from + 4), wide ? 20 : 12];
  if (elst.from + 8 + count * each > elst.to) return null;
  const big = (at: number) => view.getInt32(at) * 2 ** 32 + view.getUint32(at + 4);
  let wait = 0;
  for (let n = 0; n < count; n += 1) {
    const at = elst.from + 8 + n * each;
    const [length, first] = wide ? [big(at), big(at + 8)] : [view.getUint32(at), view.getInt32(at + 4)];
    if (first >= 0) return { wait, first };
    wait += length;
  }
  return null;
}

/** Null: this is no head that it can read. */
export function headOf(bytes: Uint8Array): Head | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Found = {};
  const need = walk(view, { from: 0, to: Infinity }, found);
  if (need !== null) return { need };
  const { hdlr, mdhd, elst, stts, ctts, stss } = found;
  if (!hdlr || !mdhd || !stts || !found.stsz) return null;
  // The track of the pictures is the first one in clips of this house.
  if (mdhd.to - mdhd.from < 24 || hdlr.to - hdlr.from < 12 || view.getUint32(hdlr.from + 8) !== 0x7669_6465) return null;
  if (!stss) return { keys: null };
  // Movie and media count alike here; nothing else is written.
  const scale = view.getUint32(view.getUint8(mdhd.from) === 1 ? mdhd.from + 20 : mdhd.from + 12);
  const shift = edit(view, elst);
  const [durations, offsets, numbers] = [table(view, stts, 2), ctts ? table(view, ctts, 2) : null, table(view, stss, 1)];
  if (scale === 0 || !shift || !durations || (ctts && !offsets) || !numbers) return null;
  const keys: number[] = [];
  // Both run-length tables are gone through once, along with the list of key pictures.
  let [run, passed, dts] = [0, 0, 0];
  let [part, gone] = [0, 0];
  for (let n = 0; n < numbers.count; n += 1) {
    const sample = numbers.at(n, 0) - 1;
    while (run < durations.count && passed + durations.at(run, 0) <= sample) {
      passed += durations.at(run, 0);
      dts += durations.at(run, 0) * durations.at(run, 1);
      run += 1;
    }
    while (offsets && part < offsets.count && gone + offsets.at(part, 0) <= sample) {
      gone += offsets.at(part, 0);
      part += 1;
    }
    if (run >= durations.count || sample < passed || (offsets && part >= offsets.count)) return null;
    const pts = dts + (sample - passed) * durations.at(run, 1) + (offsets ? offsets.at(part, 1) | 0 : 0);
    keys.push(((pts - shift.first + shift.wait) / scale) * 1000);
  }
  return { keys };
}

/** The last one at or before a moment of the clip; null: there is none. */
export function keyBefore(keys: readonly number[], at: number): number | null {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as number) <= at) low = middle + 1;
    else high = middle;
  }
  return low > 0 ? (keys[low - 1] as number) : null;
}
