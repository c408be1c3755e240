// What follows from a case's numbers: where its box lies, how long it can be taken back, where its files are. Pure.

import { fromApi, type Ms } from '../time';
import type { Box, Case } from '../types';

export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The box in per cent of the picture, cut at its edges; null where there is nothing to draw. */
export function frameOf(box: Box | null | undefined): Frame | null {
  if (!box || box.length !== 4 || !box.every(Number.isFinite)) return null;
  const [x1, y1, x2, y2] = box.map((v) => Math.min(1, Math.max(0, v)) * 100) as [number, number, number, number];
  return x2 - x1 > 0 && y2 - y1 > 0 ? { left: x1, top: y1, width: x2 - x1, height: y2 - y1 } : null;
}

/** Whole seconds an answer can still be taken back; 0 when it cannot. */
export function undoSeconds(one: Pick<Case, 'state' | 'undo_until'>, now: Ms): number {
  const until = one.state === 'raised' ? null : fromApi(one.undo_until);
  return until === null ? 0 : Math.max(0, Math.ceil((until - now) / 1000));
}

/** Another address when the file changes, so that the browser shows the better picture at once. */
export function stillPath(one: Pick<Case, 'id' | 'still'>): string | null {
  return one.still === 'small' || one.still === 'main' ? `/api/v1/cases/${one.id}/still.jpg?v=${one.still}` : null;
}

export function casePath(id: number, file: 'still.jpg' | 'clip.mp4'): string {
  return `/api/v1/cases/${id}/${file}`;
}

/** Likewise for the clip: its end says which one it is. */
export function clipOf(one: Pick<Case, 'id' | 'clip' | 'clip_to'>): string | null {
  if (one.clip !== 'partial' && one.clip !== 'done') return null;
  return `${casePath(one.id, 'clip.mp4')}?v=${one.clip}-${fromApi(one.clip_to) ?? 0}`;
}

/** The case to look at after this one: the newest that waits and is not it. */
export function nextOf(cases: readonly Pick<Case, 'id' | 'state'>[], id: number): number | null {
  return cases.find((one) => one.state === 'raised' && one.id !== id)?.id ?? null;
}
