// Which picture to ask for while a finger moves over the time. Pure: time goes in.

import { keyBefore } from './head';

/** A finger that stays within one group of pictures for so long looks for one of them. */
export const REST_MS = 150;

export interface Wish {
  /** Milliseconds into the clip; null: that picture was asked for already. */
  to: number | null;
  /** If the finger stays, it is to be asked again after so many milliseconds. */
  again: number | null;
}

/**
 * A picture in the middle of a group costs as many pictures as lie before it. So the finger that moves gets the group's first, which decodes
 * by itself, and the one that rests, or creeps within a group, gets what it points at.
 */
export class Scrub {
  private key: number | null = null;
  private since = 0;
  private asked: number | null = null;

  /** `keys`: null while they are not known, or where every picture decodes by itself. */
  at(clip: number, now: number, keys: readonly number[] | null): Wish {
    const key = keys && keyBefore(keys, clip);
    if (key === null) return { to: this.ask(clip), again: null };
    if (key !== this.key) {
      this.key = key;
      this.since = now;
    }
    const left = this.since + REST_MS - now;
    return left > 0 ? { to: this.ask(key), again: left } : { to: this.ask(clip), again: null };
  }

  private ask(to: number): number | null {
    if (to === this.asked) return null;
    this.asked = to;
    return to;
  }
}
