// Reads what the player must know of one fragment (moof + mdat): when it decodes and whether decoding can start there. Pure.
// Nothing here trusts a length field: a box that does not fit ends the reading.

export interface FragmentInfo {
  /** `tfdt`: decode time of the first sample, in ticks of the track's timescale. */
  dts: number;
  /** Ticks the fragment lasts, as far as it says so; 0 when it does not. */
  duration: number;
  /** The first sample is a random access point. */
  key: boolean;
}

interface Box {
  type: string;
  /** Where the body lies. */
  from: number;
  to: number;
}

function* boxes(view: DataView, from: number, to: number): Generator<Box> {
  let at = from;
  while (at + 8 <= to) {
    let size = view.getUint32(at);
    let head = 8;
    if (size === 1) {
      if (at + 16 > to) return;
      size = view.getUint32(at + 8) * 2 ** 32 + view.getUint32(at + 12);
      head = 16;
    } else if (size === 0) {
      size = to - at;
    }
    if (size < head || at + size > to) return;
    const type = String.fromCharCode(view.getUint8(at + 4), view.getUint8(at + 5), view.getUint8(at + 6), view.getUint8(at + 7));
    yield { type, from: at + head, to: at + size };
    at += size;
  }
}

function find(view: DataView, from: number, to: number, type: string): Box | null {
  for (const box of boxes(view, from, to)) if (box.type === type) return box;
  return null;
}

/** A binary message is an init segment when it begins with `ftyp` or `moov`. */
export function isInit(bytes: Uint8Array): boolean {
  if (bytes.length < 8) return false;
  const type = String.fromCharCode(bytes[4] ?? 0, bytes[5] ?? 0, bytes[6] ?? 0, bytes[7] ?? 0);
  return type === 'ftyp' || type === 'moov';
}

const NON_SYNC = 0x0001_0000;

/** Null when the bytes hold no readable `moof`. */
export function inspectFragment(bytes: Uint8Array): FragmentInfo | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const moof = find(view, 0, view.byteLength, 'moof');
  const traf = moof && find(view, moof.from, moof.to, 'traf');
  if (!traf) return null;
  let dts: number | null = null;
  let defaultDuration = 0;
  let defaultFlags = 0;
  let duration = 0;
  let flags: number | null = null;
  for (const box of boxes(view, traf.from, traf.to)) {
    if (box.type === 'tfhd') {
      if (box.to - box.from < 8) return null;
      const tf = view.getUint32(box.from) & 0xff_ffff;
      let at = box.from + 8;
      if (tf & 0x1) at += 8;
      if (tf & 0x2) at += 4;
      if (tf & 0x8) {
        if (at + 4 > box.to) return null;
        defaultDuration = view.getUint32(at);
        at += 4;
      }
      if (tf & 0x10) at += 4;
      if (tf & 0x20) {
        if (at + 4 > box.to) return null;
        defaultFlags = view.getUint32(at);
      }
    } else if (box.type === 'tfdt') {
      if (box.to - box.from < 8) return null;
      if (view.getUint8(box.from) === 1) {
        if (box.to - box.from < 12) return null;
        dts = view.getUint32(box.from + 4) * 2 ** 32 + view.getUint32(box.from + 8);
      } else {
        dts = view.getUint32(box.from + 4);
      }
    } else if (box.type === 'trun') {
      if (box.to - box.from < 8) return null;
      const tr = view.getUint32(box.from) & 0xff_ffff;
      const count = view.getUint32(box.from + 4);
      let at = box.from + 8;
      if (tr & 0x1) at += 4;
      if (tr & 0x4) {
        if (at + 4 > box.to) return null;
        if (flags === null) flags = view.getUint32(at);
        at += 4;
      }
      const step = (tr & 0x100 ? 4 : 0) + (tr & 0x200 ? 4 : 0) + (tr & 0x400 ? 4 : 0) + (tr & 0x800 ? 4 : 0);
      if (step > 0 && at + count * step > box.to) return null;
      if (tr & 0x400 && flags === null && count > 0) {
        flags = view.getUint32(at + (tr & 0x100 ? 4 : 0) + (tr & 0x200 ? 4 : 0));
      }
      if (tr & 0x100) {
        for (let i = 0; i < count; i += 1) duration += view.getUint32(at + i * step);
      } else {
        duration += defaultDuration * count;
      }
    }
  }
  if (dts === null) return null;
  return { dts, duration, key: ((flags ?? defaultFlags) & NON_SYNC) === 0 };
}

/** Ticks a second of the first track of an init segment (`mdhd`), or null. */
export function timescale(init: Uint8Array): number | null {
  const view = new DataView(init.buffer, init.byteOffset, init.byteLength);
  const moov = find(view, 0, view.byteLength, 'moov');
  const trak = moov && find(view, moov.from, moov.to, 'trak');
  const mdia = trak && find(view, trak.from, trak.to, 'mdia');
  const mdhd = mdia && find(view, mdia.from, mdia.to, 'mdhd');
  if (!mdhd || mdhd.to - mdhd.from < 24) return null;
  const at = view.getUint8(mdhd.from) === 1 ? mdhd.from + 20 : mdhd.from + 12;
  const scale = view.getUint32(at);
  return scale > 0 ? scale : null;
}
