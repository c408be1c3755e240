// The demo's story: what happens next before which camera. Pure; the panel is in `parts/coming-up`.

import { fromApi } from './time';
import type { Story } from './types';

export interface Coming {
  camera: string;
  kind: string;
  ruled: boolean;
  /** Seconds until it begins; 0 while it goes on. */
  wait: number;
}

/** What happens next, the soonest first. */
export function coming(story: Story, nowMs: number): Coming[] {
  const begun = fromApi(story.begun);
  if (begun === null) return [];
  return story.scenes
    .flatMap(({ camera, seconds, events }) =>
      events.map(({ kind, from, to, ruled }) => {
        const at = (((nowMs - begun) / 1000) % seconds + seconds) % seconds;
        return { camera, kind, ruled, wait: at >= from && at < to ? 0 : (from - at + seconds) % seconds };
      }),
    )
    .sort((a, b) => a.wait - b.wait);
}
