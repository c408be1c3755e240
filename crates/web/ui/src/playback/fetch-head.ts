// Fetches as much of a clip's head as tells where decoding can begin.

import { headOf } from './head';

/** So much at first, and beyond what is known to be needed: ten minutes of an even stream fit. */
const STEP = 16 << 10;
/** Ten minutes of the most uneven stream there may be; more is not worth it. */
const MOST = 512 << 10;

/** Milliseconds into the clip of its key pictures; null: they cannot be told, or all pictures are. */
export async function fetchKeys(path: string, signal: AbortSignal): Promise<number[] | null> {
  let have = new Uint8Array();
  let need = STEP;
  while (need <= MOST) {
    // Past the browser's cache, where it would queue up behind the film itself.
    const answer = await fetch(path, { headers: { Range: `bytes=${have.length}-${need - 1}` }, credentials: 'same-origin', cache: 'no-store', signal });
    if (answer.status !== 206) return null;
    const more = new Uint8Array(await answer.arrayBuffer());
    const all = new Uint8Array(have.length + more.length);
    all.set(have);
    all.set(more, have.length);
    const head = headOf(all);
    if (!head) return null;
    if ('keys' in head) return head.keys;
    if (more.length === 0 || head.need <= all.length) return null;
    have = all;
    need = head.need + STEP;
  }
  return null;
}
