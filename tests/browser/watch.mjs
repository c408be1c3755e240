// What a page's videos do, asked of the page itself.
import { until } from './until.mjs';

/** State of every `<video>`, in order. */
export function videos(page) {
  return page.evaluate(() => [...document.querySelectorAll('video')].map((video) => {
    const pen = Object.assign(document.createElement('canvas'), { width: 64, height: 36 }).getContext('2d', { willReadFrequently: true });
    if (video.videoWidth > 0) pen.drawImage(video, 0, 0, 64, 36);
    const pixels = pen.getImageData(0, 0, 64, 36).data;
    let hash = 0;
    for (let i = 0; i < pixels.length; i += 1) hash = (hash * 31 + pixels[i]) | 0;
    const end = video.buffered.length > 0 ? video.buffered.end(video.buffered.length - 1) : null;
    return {
      time: video.currentTime, paused: video.paused, width: video.videoWidth, height: video.videoHeight,
      frames: video.getVideoPlaybackQuality().totalVideoFrames, hash,
      delay: end === null ? null : end - video.currentTime,
    };
  }));
}

/** Whether a video went on by `seconds`: its time, its decoded frames and its pixels. */
export function wentOn(before, after, seconds) {
  return before.width > 0 && after.time - before.time >= seconds && after.frames - before.frames >= 3 && after.hash !== before.hash;
}

/** Waits until video number `at` goes on by `seconds`: its time, its frames and its pixels. */
export async function advance(page, at, seconds = 2, limit = 45_000) {
  const first = await until('a picture is there', async () => {
    const now = (await videos(page))[at];
    return now?.width > 0 && now.frames > 0 && now;
  }, limit);
  await until('it goes on', async () => {
    const now = (await videos(page))[at];
    return now && wentOn(first, now, seconds);
  }, limit);
}

/** What would be too small for a thumb or run out of its box: names of elements, empty when all is well. */
export function misfits(page) {
  return page.evaluate(() => {
    const wrong = [];
    const name = (el) => `${el.tagName.toLowerCase()} "${(el.getAttribute('aria-label') ?? el.textContent ?? '').trim().slice(0, 40)}"`;
    if (document.documentElement.scrollWidth > window.innerWidth) wrong.push(`page is ${document.documentElement.scrollWidth} px wide`);
    for (const el of document.querySelectorAll('button, a[href], input, select, summary')) {
      // A tick is set by its words, too.
      const box = ((el.matches('[type=radio], [type=checkbox]') && el.closest('label')) || el).getBoundingClientRect();
      if (box.width === 0 || box.height === 0 || el.classList.contains('skip')) continue;
      if (box.width < 47.5 || box.height < 47.5) wrong.push(`${name(el)} is ${Math.round(box.width)}×${Math.round(box.height)}`);
      if (box.left < -1 || box.right > window.innerWidth + 1) wrong.push(`${name(el)} lies outside`);
      if (/^(BUTTON|A|SUMMARY)$/.test(el.tagName) && (el.scrollWidth > el.clientWidth + 1 || el.scrollHeight > el.clientHeight + 1)) wrong.push(`${name(el)} is cut`);
    }
    return wrong;
  });
}

/** Writes down whatever the page complains about, into `complaints`. */
export function listen(page, complaints = []) {
  page.on('pageerror', (error) => complaints.push({ text: `page error: ${error.stack ?? error}`, url: '' }));
  page.on('console', (message) => {
    if (message.type() === 'error' || /Content.Security.Policy/i.test(message.text())) complaints.push({ text: message.text(), url: message.location().url });
  });
  return complaints;
}
