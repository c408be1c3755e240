// `manifest.sig`: who vouches for the manifest, as three lines of text. Whether that is the box one knows, its fingerprint tells.

import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { hex, same, text, unhex, utf8 } from './bytes';

const TITLE = 'matthon-signature-1';
/** What is signed begins with this. */
const PURPOSE = 'matthon export manifest 1\0';

/** A key as people compare it. */
export function fingerprint(key: Uint8Array): string {
  return (hex(sha256(key)).slice(0, 40).match(/.{4}/g) || []).join(' ');
}

/** Whether a typed fingerprint, or a whole key in hexadecimal, is this key's. */
export function sameKey(typed: string, key: Uint8Array): boolean {
  const plain = typed.replace(/[^A-Za-z0-9]/g, '').toLowerCase();
  return plain === fingerprint(key).replace(/ /g, '') || plain === hex(key);
}

/** The lines of a text: a carriage return before a line's end belongs to the end. */
function lines(words: string): string[] {
  const parts = words.split('\n');
  const last = parts.pop() || '';
  const whole = parts.map((line) => (line.slice(-1) === '\r' ? line.slice(0, -1) : line));
  return last === '' ? whole : [...whole, last];
}

/** The key that signed this manifest; null when none did. */
export function signer(mark: Uint8Array, manifest: Uint8Array): Uint8Array | null {
  const [title, keyLine, signatureLine, ...more] = lines(text(mark) || '');
  if (title !== TITLE || keyLine === undefined || signatureLine === undefined || more.length > 0) return null;
  if (keyLine.slice(0, 4) !== 'key ' || signatureLine.slice(0, 10) !== 'signature ') return null;
  const key = unhex(keyLine.slice(4), 32);
  const signature = unhex(signatureLine.slice(10), 64);
  if (!key || !signature) return null;
  const purpose = utf8(PURPOSE);
  const message = new Uint8Array(purpose.length + manifest.length);
  message.set(purpose);
  message.set(manifest, purpose.length);
  return ed25519.verify(signature, message, key, { zip215: false }) && exact(signature, message, key) ? key : null;
}

/**
 * What the box's program asks for beyond the library: the equation holds to the byte, not only up to the curve's small factor,
 * and the signature's point is none of the few that fit many messages.
 */
function exact(signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean {
  const { Point } = ed25519;
  const number = (bytes: Uint8Array) => BigInt(`0x${hex(Uint8Array.from(bytes).reverse())}`);
  const first = signature.subarray(0, 32);
  if (Point.fromBytes(first).isSmallOrder()) return false;
  const k = number(sha512.create().update(first).update(key).update(message).digest()) % Point.Fn.ORDER;
  const s = Point.BASE.multiplyUnsafe(number(signature.subarray(32)));
  return same(s.subtract(Point.fromBytes(key).multiplyUnsafe(k)).toBytes(), first);
}
