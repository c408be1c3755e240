// A file of a case that only a secret opens, as an address for `<img>` and `<video>`.

import { useEffect, useState } from 'preact/hooks';
import { file, type Pass } from './pass';

/** Null until it is there. `version`: another file when it changes; null: none yet. */
export function useFile(pass: Pass, name: 'still.jpg' | 'clip.mp4', version: string | null): { url: string | null; failed: boolean } {
  const [url, setUrl] = useState<string | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (version === null) return;
    const stop = new AbortController();
    let made: string | null = null;
    setFailed(false);
    file(pass, name, stop.signal).then((blob) => {
      if (stop.signal.aborted) return;
      made = URL.createObjectURL(blob);
      setUrl(made);
    }, () => {
      if (!stop.signal.aborted) setFailed(true);
    });
    return () => {
      stop.abort();
      if (made !== null) URL.revokeObjectURL(made);
      setUrl(null);
    };
  }, [pass, name, version]);
  return { url, failed };
}
