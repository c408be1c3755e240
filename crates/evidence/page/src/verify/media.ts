// The canonical hash of samples, as MEDIA_HASH.md lists it: a sample's line first, then its bytes, in as many pieces as they come.

import { sha256 } from '@noble/hashes/sha2.js';
import { utf8 } from './bytes';

const TAG = utf8('matthon-media-1\0');
const TWO_32 = 0x1_0000_0000;

export interface Piece {
  duration: number;
  ctsOffset: number;
  size: number;
  randomAccess: boolean;
}

export class MediaHasher {
  private readonly sha = sha256.create().update(TAG);
  private readonly line = new Uint8Array(26);
  private readonly view = new DataView(this.line.buffer);
  private samples = 0;

  constructor(parameters: Uint8Array, private dtsHigh: number, private dtsLow: number) {
    this.sha.update(parameters);
  }

  /** Begins the next sample; all of its bytes must follow. */
  begin(piece: Piece): void {
    const view = this.view;
    view.setUint8(0, 1);
    view.setUint32(1, this.dtsHigh);
    view.setUint32(5, this.dtsLow);
    view.setInt32(9, piece.ctsOffset);
    view.setUint32(13, piece.duration);
    view.setUint8(17, piece.randomAccess ? 1 : 0);
    view.setUint32(18, 0);
    view.setUint32(22, piece.size);
    this.sha.update(this.line);
    this.dtsLow += piece.duration;
    if (this.dtsLow >= TWO_32) {
      this.dtsLow -= TWO_32;
      this.dtsHigh = (this.dtsHigh + 1) % TWO_32;
    }
    this.samples += 1;
  }

  bytes(bytes: Uint8Array): void {
    this.sha.update(bytes);
  }

  finish(): Uint8Array {
    const end = new Uint8Array(9);
    // A record has fewer than 2^32 samples.
    new DataView(end.buffer).setUint32(5, this.samples);
    return this.sha.update(end).digest();
  }
}
