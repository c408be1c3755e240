// Saves the picture of a `<video>` as a JPEG on this device.

import { clockSeconds, dayOf, type Ms } from './time';

/** False when there is no picture to save. */
export async function saveSnapshot(video: HTMLVideoElement, camera: string, at: Ms, zone: string): Promise<boolean> {
  if (video.videoWidth === 0 || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return false;
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const pen = canvas.getContext('2d');
  if (!pen) return false;
  pen.drawImage(video, 0, 0);
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
