// The picture of a case with the box drawn on it, and its clip.

import { useEffect, useRef, useState } from 'preact/hooks';
import { t, type TextKey } from '../i18n';
import { Icon } from '../parts/icon';
import type { Case } from '../types';
import { casePath, clipOf, frameOf, stillPath } from './shape';

/** Part of the screen's height a picture may take. */
const TALLEST = '62vh';

/** `file`: the picture itself, where the address alone lets nobody in. */
export function Still({ one, file }: { one: Case; file?: { url: string | null; failed: boolean } }) {
  const path = file ? file.url : stillPath(one);
  const frame = frameOf(one.box);
  const [broken, setBroken] = useState<string | null>(null);
  // As wide as there is room, but never taller than the screen: the keys below it must be seen, too.
  const [shape, setShape] = useState<number | null>(null);
  if (path === null || broken === path) {
    const pending = one.still === 'pending' || (file?.failed === false && stillPath(one) !== null);
    return (
      <div class="still none">
        {pending ? <span class="spinner" aria-hidden="true" /> : <Icon name="off" />}
        <p role="status">{t(pending ? 'case.still_pending' : one.still === 'gone' ? 'case.evidence_gone' : 'case.still_missing')}</p>
      </div>
    );
  }
  return (
    <figure class="still">
      <div class="still-picture" style={shape === null ? {} : { maxWidth: `calc(${TALLEST} * ${shape})` }}>
        <img
          src={path} alt={t('case.still_alt', { camera: one.camera_name })} onError={() => setBroken(path)}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => setShape(naturalHeight > 0 ? naturalWidth / naturalHeight : null)}
        />
        {frame && <span class="case-box" style={{ left: `${frame.left}%`, top: `${frame.top}%`, width: `${frame.width}%`, height: `${frame.height}%` }} />}
      </div>
    </figure>
  );
}

/** Why there is no clip. */
const WITHOUT: { [clip: string]: TextKey | undefined } = { missing: 'case.clip_missing', 'range-only': 'case.clip_range_only', gone: 'case.evidence_gone' };

export function Clip({ one }: { one: Case }) {
  const newest = clipOf(one);
  const video = useRef<HTMLVideoElement>(null);
  const [shown, setShown] = useState(newest);
  const [failed, setFailed] = useState(false);
  // A longer clip has come: not in the middle of watching the shorter one.
  const swap = () => {
    const el = video.current;
    if (newest === shown || (el && !el.paused && !el.ended)) return;
    setFailed(false);
    setShown(newest);
  };
  useEffect(swap, [newest]);
  return (
    <div class="card case-clip">
      <h2>{t('case.clip')}</h2>
      {shown === null
        ? <p class="hint" role="status">{t(WITHOUT[one.clip] ?? 'case.clip_pending')}</p>
        : failed
          ? <p class="message" role="status"><Icon name="warn" />{t('case.clip_failed')}</p>
          : <video ref={video} src={shown} poster={stillPath(one) ?? undefined} controls playsInline preload="metadata" disablePictureInPicture aria-label={t('case.clip')} onEnded={swap} onPause={swap} onError={() => setFailed(true)} />}
      {one.clip === 'partial' && <p class="hint" role="status">{t('case.clip_partial')}</p>}
      {shown !== null && <a class="button" href={casePath(one.id, 'clip.mp4')} download=""><Icon name="download" />{t('act.clip')}</a>}
    </div>
  );
}
