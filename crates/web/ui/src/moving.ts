// Which cameras the box says see something move now, as heard on its events; the list of cameras says it too, to whoever hears none.

import { Signal } from './signal';

export const moving = new Signal<ReadonlySet<string>>(new Set());

export function stirred(camera: string, on: boolean): void {
  if (moving.value.has(camera) === on) return;
  const next = new Set(moving.value);
  if (on) next.add(camera);
  else next.delete(camera);
  moving.set(next);
}

/** A connection told of it and is gone: the next one begins by telling what moves. */
export function forget(): void {
  if (moving.value.size > 0) moving.set(new Set());
}
