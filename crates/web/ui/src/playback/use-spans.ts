// The recorded spans of one camera and day, kept fresh while the day is today.

import { useEffect, useState } from 'preact/hooks';
import { ApiError, get, serverNow } from '../api';
import { dayBounds, fromApi, toApi, type Day } from '../time';
import type { Camera, StreamName, Timeline } from '../types';
import { normalise, type Span } from './spans';

export interface Gap extends Span {
  reason: string;
}

export interface DaySpans {
  main: Span[];
  sub: Span[];
  /** What is missing of the stream that is recorded best, and why. */
  gaps: Gap[];
}

/** One stream of a day. */
interface OneStream {
  spans: Span[];
  gaps: Gap[];
}

/** Records follow each other with rounding between them; a hole shorter than this is none. */
const JOIN_MS = 500;
const REFRESH_MS = 10_000;

async function fetchSpans(camera: string, stream: StreamName, day: Day, zone: string, signal: AbortSignal): Promise<OneStream> {
  const [from, to] = dayBounds(day, zone);
  const path = `cameras/${encodeURIComponent(camera)}/timeline?from=${encodeURIComponent(toApi(from))}&to=${encodeURIComponent(toApi(to))}&stream=${stream}`;
  const { spans, gaps } = await get<Timeline>(path, signal);
  const read: Span[] = [];
  for (const span of spans) {
    const [a, b] = [fromApi(span.from), fromApi(span.to)];
    if (a !== null && b !== null) read.push({ from: Math.max(a, from), to: Math.min(b, to) });
  }
  const missing: Gap[] = [];
  for (const gap of gaps ?? []) {
    const [a, b] = [fromApi(gap.from), fromApi(gap.to)];
    if (a !== null && b !== null && b > a) missing.push({ from: a, to: b, reason: gap.reason });
  }
  return { spans: normalise(read, JOIN_MS), gaps: missing };
}

export async function loadDay(camera: Camera, day: Day, zone: string, signal: AbortSignal): Promise<DaySpans> {
  const one = (stream: StreamName) => 
    camera.recorded[stream] ? fetchSpans(camera.id, stream, day, zone, signal) : Promise.resolve<OneStream>({ spans: [], gaps: [] });
  const [main, sub] = await Promise.all([one('main'), one('sub')]);
  return { main: main.spans, sub: sub.spans, gaps: camera.recorded.main ? main.gaps : sub.gaps };
}

export interface Spans {
  /** Null until known. */
  data: DaySpans | null;
  error: unknown;
  again: () => void;
}

export function useSpans(camera: Camera, day: Day, zone: string): Spans {
  const [found, setFound] = useState<{ key: string; data: DaySpans } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  const key = `${camera.id} ${day} ${camera.recorded.main} ${camera.recorded.sub}`;
  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;
    const ask = async () => {
      try {
        const data = await loadDay(camera, day, zone, stop.signal);
        setFound({ key, data });
        setError(null);
      } catch (failure) {
        if (stop.signal.aborted) return;
        setError(failure);
        if (failure instanceof ApiError && failure.status < 500) return;
      }
      if (dayBounds(day, zone)[1] > serverNow()) timer = window.setTimeout(() => void ask(), REFRESH_MS);
    };
    void ask();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
    };
  }, [key, zone, round]);
  return { data: found?.key === key ? found.data : null, error, again: () => setRound((n) => n + 1) };
}
