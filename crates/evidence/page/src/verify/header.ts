// The record header of the ring: 256 bytes that say everything about a record, and the chain they stand in. The records' samples
// do not belong here.

import { sha256 } from '@noble/hashes/sha2.js';
import { utf8 } from './bytes';
import { plusTicks } from './moment';

export const RECORD_HEADER = 256;
/** The header's front that the chain covers. */
const CHAINED = 208;
/** Behind the last field of that front it holds zeros, whatever the disk says. */
const FIELDS_END = 192;
const CHAIN_TAG = utf8('matthon chain 1\0');
const KINDS = ['video', 'audio', 'observations'];
const CHANNELS = ['main', 'sub'];

export interface Header {
  camera: string;
  /** `camera/channel/kind`. */
  stream: string;
  seq: bigint;
  /** Capture time of the first sample, microseconds. */
  wall: bigint;
  /** End of the last one. */
  wallEnd: bigint;
  /** Decoding time of the first sample, in its two halves. */
  dtsHigh: number;
  dtsLow: number;
  mediaHash: Uint8Array;
  chain: Uint8Array;
  /** What the chain covers. */
  front: Uint8Array;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c >>> 0;
});

export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (let n = 0; n < bytes.length; n++) c = (crcTable[(c ^ (bytes[n] as number)) & 0xff] as number) ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

const SHIFT = BigInt(32);

/** Eight bytes, little endian. */
function u64(view: DataView, at: number): bigint {
  return (BigInt(view.getUint32(at + 4, true)) << SHIFT) | BigInt(view.getUint32(at, true));
}

function i64(view: DataView, at: number): bigint {
  return (BigInt(view.getInt32(at + 4, true)) << SHIFT) | BigInt(view.getUint32(at, true));
}

/** A camera's id padded with zero bytes, or null. */
function cameraFrom(field: Uint8Array): string | null {
  let id = '';
  for (let n = 0; n < field.length; n++) {
    const byte = field[n] as number;
    if (byte === 0) {
      if (field.subarray(n).some((pad) => pad !== 0)) return null;
      break;
    }
    id += String.fromCharCode(byte);
  }
  return /^[a-z0-9-]{1,48}$/.test(id) ? id : null;
}

/** Reads a header, or null when the bytes are none. They are copied: whoever lent them may reuse them. */
export function parseHeader(lent: Uint8Array): Header | null {
  const bytes = lent.slice(0, RECORD_HEADER);
  const view = new DataView(bytes.buffer);
  if (bytes.length !== RECORD_HEADER || view.getUint32(0, true) !== 0x4352544d || view.getUint16(4, true) !== 1) return null;
  if (crc32(bytes.subarray(0, RECORD_HEADER - 4)) !== view.getUint32(RECORD_HEADER - 4, true)) return null;
  const [kind, channel] = [KINDS[view.getUint8(6)], CHANNELS[view.getUint8(7)]];
  const camera = cameraFrom(bytes.subarray(8, 56));
  if (kind === undefined || channel === undefined || camera === null) return null;
  const wall = i64(view, 96);
  const front = bytes.slice(0, CHAINED).fill(0, FIELDS_END);
  return {
    camera,
    stream: `${camera}/${channel}/${kind}`,
    seq: u64(view, 56),
    wall,
    wallEnd: plusTicks(wall, view.getUint32(120, true)),
    dtsLow: view.getUint32(112, true),
    dtsHigh: view.getUint32(116, true),
    mediaHash: bytes.slice(136, 168),
    chain: bytes.slice(208, 240),
    front,
  };
}

/** What a record's chain must be behind a record whose chain is `previous`. */
export function chainAfter(header: Header, previous: Uint8Array): Uint8Array {
  return sha256.create().update(CHAIN_TAG).update(previous).update(header.front).update(header.mediaHash).digest();
}
