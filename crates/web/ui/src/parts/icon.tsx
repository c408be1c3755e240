// The page's few signs, drawn here: one stroke, 24 × 24. Always beside a word or under an aria-label.

const SHAPES = {
  live: 'M4 7h11v10H4zM15 11l5-3v8l-5-3',
  playback: 'M4 12a8 8 0 1 0 2.6-5.9M4 4v4h4M12 8v4l3 2',
  devices: 'M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01',
  back: 'M15 5l-7 7 7 7',
  forward: 'M9 5l7 7-7 7',
  photo: 'M4 8h4l2-3h4l2 3h4v11H4zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7',
  full: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  play: 'M7 4.5v15l12-7.5z',
  pause: 'M8 5v14M16 5v14',
  step: 'M6 5v14l9-7zM19 5v14',
  stepBack: 'M18 5v14l-9-7zM5 5v14',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  warn: 'M12 4 2.5 20h19zM12 10v4M12 17h.01',
  ok: 'M5 13l4 4L19 7',
  off: 'M3 3l18 18M6 7H4v10h11v-1M9 7h6v5M15 11l5-3v8l-2-1',
  out: 'M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9',
  eye: 'M2 12c3-5 6-7 10-7s7 2 10 7c-3 5-6 7-10 7s-7-2-10-7zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6',
  clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 8v4l3 2',
  grid: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  cases: 'M5 4h14v16H5zM9 4V3h6v1M12 8v5M12 16h.01',
  undo: 'M8 5 4 9l4 4M4 9h10a5 5 0 0 1 0 10H8',
  wrong: 'M6 6l12 12M18 6 6 18',
  tile: 'M4 5h16v6H4zM4 13h16v6H4z',
  gear: 'M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.1 2.1M16.3 16.3l2.1 2.1M5.6 18.4l2.1-2.1M16.3 7.7l2.1-2.1',
  find: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.3 15.3 20 20',
  sound: 'M4 10v4h4l5 4V6l-5 4zM16 9a4 4 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11',
  silent: 'M4 10v4h4l5 4V6l-5 4zM16 9.5l5 5M21 9.5l-5 5',
  bell: 'M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21h4',
} as const;

export type IconName = keyof typeof SHAPES;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={SHAPES[name]} />
    </svg>
  );
}
