// What came by, and what is asked of it.

import type { Instant } from './base';
import type { Box } from './cases';

/** What is searched for; empty lists: anything. */
export interface SearchQuery {
  from: string;
  to: string;
  purpose: string;
  cameras: string[];
  classes: string[];
  colours: string[];
  headings: string[];
  before: string | null;
}

/** Something that came by. */
export interface Sighting {
  camera: string;
  class: string;
  colour: string | null;
  heading: string;
  first: string;
  last: string;
  best: string;
  box: Box;
  score: number;
}

export interface Found {
  now: Instant;
  found: Sighting[];
  before: string | null;
}
