// How many cases wait for a person, and the word that one of them changed: shared by the navigation and the pages.

import { useEffect, useState } from 'preact/hooks';
import { get, loadSession, noteServerTime } from '../api';
import { forget, stirred } from '../moving';
import { Signal } from '../signal';
import type { CaseList } from '../types';
import { Feed } from './feed';

/** Cases that wait; null until known. */
export const todo = new Signal<number | null>(null);

export interface Change {
  /** Counts up, so that every change is a new value. */
  n: number;
  /** Which case; null: any. */
  id: number | null;
}

export const changed = new Signal<Change>({ n: 0, id: null });

export function touch(id: number | null): void {
  changed.set({ n: changed.value.n + 1, id });
}

const HIDE_MS = 2_000;

let counting = false;
let again = false;

/** Asks how many wait; a burst of changes asks twice, not twenty times. */
export async function count(): Promise<void> {
  if (counting) {
    again = true;
    return;
  }
  counting = true;
  try {
    const answer = await get<CaseList>('cases?state=raised&limit=1');
    noteServerTime(answer.now);
    todo.set(answer.todo);
  } catch {
    // The banner says when the box is out of reach; the number stays as it was.
  } finally {
    counting = false;
    if (again) {
      again = false;
      void count();
    }
  }
}

/** Listens while the page is seen; for the frame around the pages. */
export function useInbox(wanted: boolean): void {
  useEffect(() => {
    if (!wanted) return;
    const feed = new Feed({
      open: () => new EventSource('/api/v1/events') as never,
      change: (id) => {
        touch(id);
        void count();
      },
      motion: stirred,
      still: forget,
      beat: noteServerTime,
      refused: () => void loadSession().catch(() => undefined),
      timers: { set: (run, ms) => window.setTimeout(run, ms), clear: (timer) => window.clearTimeout(timer as number) },
    });
    let hide = 0;
    const listen = () => {
      window.clearTimeout(hide);
      // A page nobody sees must not hold one of the browser's six connections to the box.
      if (document.hidden) hide = window.setTimeout(() => feed.stop(), HIDE_MS);
      else feed.start();
    };
    const online = () => {
      feed.stop();
      listen();
    };
    document.addEventListener('visibilitychange', listen);
    window.addEventListener('online', online);
    void count();
    listen();
    return () => {
      window.clearTimeout(hide);
      document.removeEventListener('visibilitychange', listen);
      window.removeEventListener('online', online);
      feed.stop();
      todo.set(null);
    };
  }, [wanted]);
}

/** Counts the changes that concern a case, or any when `id` is null. */
export function useChanges(id: number | null): number {
  const [seen, setSeen] = useState(changed.value.n);
  useEffect(() => changed.subscribe((change) => {
    if (id === null || change.id === null || change.id === id) setSeen(change.n);
  }), [id]);
  return seen;
}
