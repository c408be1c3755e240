// The calm word where cases do not come by themselves: no model, or detection at rest. Not an error: the rest of the product works.

import { t, tKey } from '../i18n';
import { Icon } from '../parts/icon';
import { usePoll } from '../poll';
import type { Status } from '../types';

const EVERY_MS = 30_000;

/** States in which nothing is looked at. A restart lasts two seconds and is not worth a word here. */
export function atRest(state: string | undefined): boolean {
  return state !== undefined && !['ok', 'starting', 'restarting'].includes(state);
}

export function Notice() {
  const { data } = usePoll<Status>('status', EVERY_MS);
  const state = data?.vision?.state;
  if (!atRest(state)) return null;
  return <p class="message" role="status" data-vision={state}><Icon name="eye" /><span>{tKey(`vision.${state}`, 'vision.unknown')} {t('vision.by_hand')}</span></p>;
}
