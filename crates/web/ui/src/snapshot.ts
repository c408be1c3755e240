// Saves what a `<video>` or `<img>` shows as a JPEG on this device.

import { clockSeconds, dayOf, type Ms } from './time';

/** False when there is no picture to save. */
export async function saveSnapshot(shown: HTMLVideoElement | HTMLImageElement, camera: string, at: Ms, zone: string): Promise<boolean> {
  if (shown instanceof HTMLVideoElement && shown.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return false;
  const [width, height] = shown instanceof HTMLVideoElement ? [shown.videoWidth, shown.videoHeight] : [shown.naturalWidth, shown.naturalHeight];
  if (width === 0) return false;
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext('2d');
  if (!pen) return false;
  pen.drawImage(shown, 0, 0);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', 0.92));
  if (!blob) return false;
  const url = URL.createObjectURL(blob);
  download(url, `${camera}_${dayOf(at, zone)}_${clockSeconds(at, zone).replace(/:/g, '-')}.jpg`);
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return true;
}

export function download(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}
