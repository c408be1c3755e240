// Sparing mobile data: what was chosen, what the connection says, and how much pictures have used since the page was opened.

import { asChoice, saving, type ConnectionInfo, type SaverChoice } from './player/saver';
import { Signal } from './signal';
import { recall, remember } from './storage';

const connection = (navigator as unknown as { connection?: ConnectionInfo & EventTarget }).connection ?? null;

export const choice = new Signal<SaverChoice>(asChoice(recall('saver')));
/** Whether single pictures are shown instead of live ones now. */
export const saver = new Signal<boolean>(saving(choice.value, connection));
/** Bytes of pictures; told at most once a second. What the browser's own player fetches is not in it: it does not tell. */
export const used = new Signal<number>(0);

connection?.addEventListener?.('change', () => saver.set(saving(choice.value, connection)));

export function choose(next: SaverChoice): void {
  remember('saver', next);
  choice.set(next);
  saver.set(saving(next, connection));
}

let counted = 0;
let timer = 0;

export function count(bytes: number): void {
  counted += bytes;
  if (timer !== 0) return;
  timer = window.setTimeout(() => {
    timer = 0;
    used.set(counted);
  }, 1000);
}
