// What every answer is made of, and who asks.

export type Role = 'admin' | 'official' | 'police' | 'viewer' | 'technician' | 'auditor';
export type StreamName = 'main' | 'sub';
/** Text or microseconds: `fromApi` reads both. */
export type Instant = string | number;

export interface Site {
  name: string;
  timezone: string;
  language: string;
  /** A demonstration with simulated cameras. */
  demo?: boolean;
}

export interface Session {
  name: string;
  role: Role;
  site: Site;
  /** Live pictures come by WebRTC, too, on this way in. */
  webrtc?: boolean;
}
