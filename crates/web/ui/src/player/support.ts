// What this browser can play, asked of the browser and never guessed from its name.

interface Managed {
  ManagedMediaSource?: typeof MediaSource;
}

/** MediaSource, or ManagedMediaSource (iPhone 17.1 and later has only that one); null on older iPhones. */
export function mediaSourceClass(): typeof MediaSource | null {
  const scope = window as unknown as Managed & { MediaSource?: typeof MediaSource };
  return scope.MediaSource ?? scope.ManagedMediaSource ?? null;
}

export function isManaged(kind: typeof MediaSource): boolean {
  return kind === (window as unknown as Managed).ManagedMediaSource;
}

export function canPlayLive(mime: string): boolean {
  const kind = mediaSourceClass();
  return kind !== null && kind.isTypeSupported(mime);
}

/** What cameras send as H.265 at most: main profile, level 4. */
const HEVC = 'video/mp4; codecs="hvc1.1.6.L120.90"';

/** Whether the usual H.265 plays, by whichever way this browser plays live pictures. */
export function canPlayHevc(): boolean {
  return mediaSourceClass() !== null ? canPlayLive(HEVC) : document.createElement('video').canPlayType(HEVC) !== '';
}

/** Whether a `<video src>` file with this codec plays; unknown codecs are worth a try. */
export function canPlayFile(codec: string | null): boolean {
  if (!codec) return true;
  return document.createElement('video').canPlayType(`video/mp4; codecs="${codec}"`) !== '';
}

/** `H.264`, `H.265`, or the codec string itself. */
export function codecName(codec: string): string {
  if (/^avc[13]/.test(codec)) return 'H.264';
  if (/^(hvc1|hev1)/.test(codec)) return 'H.265';
  return codec;
}
