// A strip of time on a canvas. `day`: the whole day, the line moves. `near`: around the moment, the line stands and time is dragged below it.

import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { clock, clockSeconds, HOUR, MINUTE, type Ms } from '../time';
import { markAt, type Mark } from './marks';
import { marks, timeAt, xOf, type Scale } from './scale';
import { covered, type Span } from './spans';

interface Props {
  mode: 'day' | 'near';
  from: Ms;
  to: Ms;
  /** Midnight of the day: round marks count from it. */
  origin: Ms;
  end: Ms;
  spans: readonly Span[];
  /** Cases on this camera: a tap on one goes to where it began. */
  cases: readonly Mark[];
  cursor: Ms;
  now: Ms;
  zone: string;
  /** While the finger moves. */
  onScrub: (at: Ms) => void;
  /** When it is lifted, or by key. */
  onCommit: (at: Ms) => void;
}

const TAP = 6;
/** How far from a mark a thumb may land, in pixels. */
const REACH = 14;

export function Timeline(props: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const drag = useRef<{ x: number; cursor: Ms; perPixel: Ms; moved: boolean; at: Ms } | null>(null);
  const { mode, from, to, origin, end, spans, cases, cursor, now, zone, onScrub, onCommit } = props;

  useEffect(() => {
    if (canvas.current) draw(canvas.current, latest.current);
  }, [mode, from, to, spans, cases, cursor, now, zone]);

  useEffect(() => {
    const el = canvas.current;
    if (!el) return;
    const again = () => draw(el, latest.current);
    const resize = new ResizeObserver(again);
    resize.observe(el);
    const dark = window.matchMedia('(prefers-color-scheme: dark)');
    if (dark.addEventListener) dark.addEventListener('change', again);
    return () => {
      resize.disconnect();
      if (dark.removeEventListener) dark.removeEventListener('change', again);
    };
  }, []);

  const clamp = (at: Ms) => Math.min(Math.max(at, origin), Math.min(end, now) - 1);
  const scaleOf = (el: HTMLElement): Scale => ({ from, to, width: el.clientWidth });
  const xIn = (event: PointerEvent) => event.clientX - (event.currentTarget as HTMLElement).getBoundingClientRect().left;

  const down = (event: PointerEvent) => {
    const el = event.currentTarget as HTMLElement;
    el.setPointerCapture(event.pointerId);
    const scale = scaleOf(el);
    const x = xIn(event);
    drag.current = { x, cursor, perPixel: (to - from) / Math.max(1, scale.width), moved: false, at: clamp(timeAt(scale, x)) };
    if (mode === 'day') onScrub(drag.current.at);
  };
  /** A tap, not a drag, on or near a mark means the mark. */
  const aimed = (el: HTMLElement, d: { x: number; moved: boolean; at: Ms }): Ms => {
    const scale = scaleOf(el);
    const mark = d.moved ? null : markAt(cases, timeAt(scale, d.x), (REACH / Math.max(1, scale.width)) * (to - from));
    return mark ? clamp(mark.at) : d.at;
  };
  const move = (event: PointerEvent) => {
    const d = drag.current;
    if (!d) return;
    const x = xIn(event);
    if (Math.abs(x - d.x) > TAP) d.moved = true;
    if (mode === 'near' && !d.moved) return;
    d.at = clamp(mode === 'day' ? timeAt(scaleOf(event.currentTarget as HTMLElement), x) : d.cursor - (x - d.x) * d.perPixel);
    onScrub(d.at);
  };
  const up = (event: PointerEvent) => {
    const d = drag.current;
    drag.current = null;
    if (d) onCommit(aimed(event.currentTarget as HTMLElement, d));
  };
  const cancel = () => {
    drag.current = null;
    onCommit(latest.current.cursor);
  };
  const key = (event: KeyboardEvent) => {
    const small = mode === 'day' ? 10 * MINUTE : 10_000;
    const large = mode === 'day' ? HOUR : MINUTE;
    const steps: { [name: string]: Ms } = {
      ArrowLeft: cursor - small, ArrowDown: cursor - small, ArrowRight: cursor + small, ArrowUp: cursor + small,
      PageDown: cursor - large, PageUp: cursor + large, Home: origin, End: end,
    };
    const wanted = steps[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    onCommit(clamp(wanted));
  };

  const said = `${clockSeconds(cursor, zone)}, ${t(covered(spans, cursor) ? 'play.legend_recorded' : 'play.legend_gap')}`;
  return (
    <canvas
      ref={canvas} class={`timeline ${mode}`} tabIndex={0} role="slider"
      aria-label={t(mode === 'day' ? 'play.timeline_day' : 'play.timeline_near')}
      aria-valuemin={0} aria-valuemax={Math.round((end - origin) / 1000)} aria-valuenow={Math.round((cursor - origin) / 1000)} aria-valuetext={said}
      onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={cancel} onKeyDown={key}
    />
  );
}

function draw(canvas: HTMLCanvasElement, props: Props): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  const pen = canvas.getContext('2d');
  if (!pen || width === 0 || height === 0) return;
  const dpr = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * dpr), Math.round(height * dpr)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  pen.setTransform(dpr, 0, 0, dpr, 0, 0);
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
  const scale: Scale = { from: props.from, to: props.to, width };
  const labels = 1.4 * rem;
  const [top, bottom] = [labels, height - 4];

  pen.clearRect(0, 0, width, height);
  // What cannot have been recorded yet, then the gaps, then the recordings on top.
  pen.fillStyle = colour('--gap');
  pen.fillRect(0, top, width, bottom - top);
  const future = Math.max(0, xOf(scale, Math.min(props.now, props.end)));
  if (future < width) pen.clearRect(future, top, width - future, bottom - top);
  const past = xOf(scale, props.origin);
  if (past > 0) pen.clearRect(0, top, past, bottom - top);
  pen.fillStyle = colour('--recorded');
  for (const span of props.spans) {
    const a = Math.max(0, xOf(scale, span.from));
    const b = Math.min(width, xOf(scale, span.to));
    if (b > 0 && a < width) pen.fillRect(a, top, Math.max(1, b - a), bottom - top);
  }

  pen.strokeStyle = colour('--ink');
  pen.lineWidth = 1;
  for (const mark of props.cases) {
    const from = xOf(scale, mark.at);
    const to = xOf(scale, mark.to);
    if (to < -8 || from > width + 8) continue;
    // How long it lasted as a band at the foot, where it began as a flag over the whole height.
    pen.fillStyle = colour('--mark');
    pen.fillRect(from, bottom - 5, Math.max(3, to - from), 5);
    pen.fillRect(Math.round(from) - 1, top, 3, bottom - top);
    pen.beginPath();
    pen.moveTo(from - 1, top);
    pen.lineTo(from + 11, top + 6);
    pen.lineTo(from - 1, top + 12);
    pen.closePath();
    pen.fill();
    // Its edge in ink: the flag is read on green and on grey alike.
    pen.stroke();
  }

  pen.font = `600 ${0.85 * rem}px ${style.fontFamily}`;
  pen.textBaseline = 'middle';
  const { step, at } = marks(scale, 4.2 * rem, props.origin);
  for (const time of at) {
    const x = xOf(scale, time);
    pen.fillStyle = colour('--line');
    pen.fillRect(Math.round(x), top - 3, 1, bottom - top + 3);
    const text = props.mode === 'day' && time >= props.end ? '24:00' : step < MINUTE ? clockSeconds(time, props.zone) : clock(time, props.zone);
    const half = pen.measureText(text).width / 2;
    pen.fillStyle = colour('--ink-2');
    pen.fillText(text, Math.min(Math.max(x - half, 0), width - 2 * half), labels / 2);
  }

  const x = Math.round(xOf(scale, props.cursor));
  pen.fillStyle = colour('--cursor');
  pen.fillRect(x - 1.5, top - 5, 3, height - top + 5);
  pen.beginPath();
  pen.moveTo(x - 8, top - 7);
  pen.lineTo(x + 8, top - 7);
  pen.lineTo(x, top + 5);
  pen.fill();
}
