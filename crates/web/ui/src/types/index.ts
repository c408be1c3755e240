// The shapes of /api/v1 as this page reads them, by theme. Does not belong here: what the page makes of them.

export type * from './base';
export type * from './cameras';
export type * from './cases';
export type * from './evidence';
export type * from './people';
export type * from './search';
export type * from './status';
