// The cases of one camera and day, asked again when one changes.

import { useEffect, useState } from 'preact/hooks';
import { get } from '../api';
import { useChanges } from '../cases/inbox';
import { may } from '../roles';
import { dayBounds, toApi, type Day } from '../time';
import type { Violations } from '../types';
import { marksOf, type Mark } from './marks';

const NONE: readonly Mark[] = [];

export function useMarks(camera: string, day: Day, zone: string): readonly Mark[] {
  const changes = useChanges(null);
  const [found, setFound] = useState<readonly Mark[]>(NONE);
  const wanted = may('cases');
  useEffect(() => {
    if (!wanted) return;
    const stop = new AbortController();
    const [from, to] = dayBounds(day, zone);
    const path = `violations?camera=${encodeURIComponent(camera)}&from=${encodeURIComponent(toApi(from))}&to=${encodeURIComponent(toApi(to))}`;
    // Marks are an extra: without them the recordings are watched all the same.
    get<Violations>(path, stop.signal).then(({ violations }) => setFound(marksOf(violations)), () => undefined);
    return () => stop.abort();
  }, [wanted, camera, day, zone, changes]);
  return found;
}
