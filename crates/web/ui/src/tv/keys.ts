// The keys of a remote control. Pure: TVs name and number them in their own ways.

export type Key = 'left' | 'right' | 'up' | 'down' | 'ok' | 'back';

const NAMES: { [name: string]: Key } = {
  ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down', Left: 'left', Right: 'right', Up: 'up', Down: 'down',
  Enter: 'ok', Accept: 'ok', Select: 'ok', Escape: 'back', GoBack: 'back', BrowserBack: 'back', Backspace: 'back', XF86Back: 'back',
};
/** Tizen says 10009, webOS 461 for Back. */
const CODES: { [code: number]: Key } = { 37: 'left', 38: 'up', 39: 'right', 40: 'down', 13: 'ok', 27: 'back', 8: 'back', 461: 'back', 10009: 'back' };

export function keyOf(event: { key?: string; keyCode?: number }): Key | null {
  return NAMES[event.key || ''] || CODES[event.keyCode || 0] || null;
}
