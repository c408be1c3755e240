// Asks the box again and again while somebody looks: cameras, status, cases.

import { useEffect, useState } from 'preact/hooks';
import { ApiError, get, noteServerTime } from './api';

export interface Polled<T> {
  data: T | null;
  /** The last attempt failed; `data` is what was known before. */
  error: unknown;
  again: () => void;
}

/** `nudge`: asks at once whenever this number changes. */
export function usePoll<T extends { now?: unknown }>(path: string, everyMs: number, nudge = 0): Polled<T> {
  const [data, setData] = useState<T | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const ask = async () => {
      window.clearTimeout(timer);
      if (document.hidden) return;
      try {
        const answer = await get<T>(path, stop.signal);
        noteServerTime(answer.now);
        setData(() => answer);
        setError(null);
      } catch (failure) {
        if (stop.signal.aborted) return;
        setError(failure);
        // A refusal does not change by asking.
        if (failure instanceof ApiError && (failure.status === 401 || failure.status === 403)) return;
      }
      timer = window.setTimeout(() => void ask(), everyMs);
    };
    const onVisible = () => void ask();
    document.addEventListener('visibilitychange', onVisible);
    void ask();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [path, everyMs, round, nudge]);
  return { data, error, again: () => setRound((n) => n + 1) };
}
