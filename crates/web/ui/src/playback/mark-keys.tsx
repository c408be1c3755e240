// From case to case on the day being watched, and into the one at this moment.

import { kindText } from '../cases/words';
import { t } from '../i18n';
import { Icon } from '../parts/icon';
import { Link } from '../parts/link';
import { paths } from '../router';
import { clock, type Ms } from '../time';
import { around, type Mark } from './marks';

interface Props {
  cases: readonly Mark[];
  cursor: Ms;
  zone: string;
  disabled: boolean;
  onJump: (at: Ms) => void;
}

export function MarkKeys({ cases, cursor, zone, disabled, onJump }: Props) {
  const { before, here, after } = around(cases, cursor);
  const label = (mark: Mark | null, key: 'play.case_before' | 'play.case_after') => (mark ? `${t(key)}: ${clock(mark.at, zone)} ${kindText(mark.kind)}` : t(key));
  return (
    <div class="mark-keys" data-marks={cases.length}>
      <button type="button" class="button square" disabled={disabled || !before} aria-label={label(before, 'play.case_before')} onClick={() => before && onJump(before.at)}><Icon name="back" /></button>
      {here
        ? <Link to={paths.case(here.id)} class="button"><Icon name="cases" />{clock(here.at, zone)} {kindText(here.kind)}</Link>
        : <span class="hint">{t('play.cases', { n: cases.length })}</span>}
      <button type="button" class="button square" disabled={disabled || !after} aria-label={label(after, 'play.case_after')} onClick={() => after && onJump(after.at)}><Icon name="forward" /></button>
    </div>
  );
}
