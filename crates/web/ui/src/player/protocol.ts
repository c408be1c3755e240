// The messages of the live WebSocket, parsed. Pure.
// Alone (`cameras/ID/live`) binaries are bare; multiplexed (`live?cameras=…`, and `cameras/ID/live/sound`) texts carry `ch` and binaries begin with one byte `ch`.

export interface FormatMessage {
  type: 'format';
  ch: number;
  camera: string;
  stream: 'main' | 'sub';
  codecs: string;
  mime: string;
  width: number;
  height: number;
  /** The box decodes and encodes the picture anew. */
  converted: boolean;
  /** What lies in the camera's masks is black. */
  covered: boolean;
}

export interface SoundMessage {
  type: 'sound';
  ch: number;
  codecs: string;
  mime: string;
}

export type LiveMessage =
  | FormatMessage
  /** A format that says it is of sound. */
  | SoundMessage
  | { type: 'skipped'; ch: number; gops: number }
  | { type: 'state'; ch: number; state: string }
  /** Nothing of this camera will come on this socket. */
  | { type: 'refused'; ch: number; kind: string }
  | { type: 'media'; ch: number; bytes: Uint8Array }
  /** Something a newer server says; `why` is for the console. */
  | { type: 'unknown'; why: string };

const text = (value: unknown) => (typeof value === 'string' ? value : '');
const count = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0);

export function parseText(raw: string, multiplexed: boolean): LiveMessage {
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    return { type: 'unknown', why: 'not JSON' };
  }
  if (typeof value !== 'object' || value === null) return { type: 'unknown', why: 'not an object' };
  const m = value as { [key: string]: unknown };
  const ch = multiplexed ? m['ch'] : 0;
  if (typeof ch !== 'number' || !Number.isInteger(ch) || ch < 0 || ch > 255) return { type: 'unknown', why: 'no channel' };
  switch (m['type']) {
    case 'format': {
      const codecs = text(m['codecs']);
      if (codecs === '') return { type: 'unknown', why: 'format without codecs' };
      if (m['kind'] === 'audio') return { type: 'sound', ch, codecs, mime: text(m['mime']) || `audio/mp4; codecs="${codecs}"` };
      return {
        type: 'format', ch, camera: text(m['camera']), stream: m['stream'] === 'main' ? 'main' : 'sub',
        codecs, mime: text(m['mime']) || `video/mp4; codecs="${codecs}"`, width: count(m['width']), height: count(m['height']),
        converted: m['converted'] === true, covered: m['covered'] === true,
      };
    }
    case 'skipped':
      return { type: 'skipped', ch, gops: count(m['gops']) };
    case 'refused':
      return { type: 'refused', ch, kind: text(m['kind']) };
    case 'state':
      return { type: 'state', ch, state: text(m['state']) };
    default:
      return { type: 'unknown', why: `type ${text(m['type'])}` };
  }
}

export function parseBinary(data: ArrayBuffer, multiplexed: boolean): LiveMessage {
  const bytes = new Uint8Array(data);
  if (!multiplexed) return { type: 'media', ch: 0, bytes };
  const ch = bytes[0];
  if (ch === undefined) return { type: 'unknown', why: 'empty binary' };
  return { type: 'media', ch, bytes: bytes.subarray(1) };
}
