// What the page says instead of, or above, its content: loading, empty, refused, unreachable.

import type { ComponentChildren } from 'preact';
import { ApiError } from '../api';
import { t } from '../i18n';
import { bytes } from '../words';
import { Icon, type IconName } from './icon';

export function Loading() {
  return <p class="hint" role="status"><span class="spinner" aria-hidden="true" />{t('state.loading')}</p>;
}

interface EmptyProps {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
}

export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** A sentence for any failure of a call. */
export function failureText(error: unknown): string {
  if (!(error instanceof ApiError)) return t('err.network');
  if (error.room) return t('export.no_room', { need: bytes(error.room.need), used: bytes(error.room.used), quota: bytes(error.room.quota), free: bytes(error.room.free) });
  if (error.status === 403) return t('err.forbidden');
  if (error.status === 404) return t('err.camera');
  return t('err.server', { n: error.status });
}

export function Failure({ error, again }: { error: unknown; again: () => void }) {
  const final = error instanceof ApiError && (error.status === 403 || error.status === 404);
  return (
    <Empty icon="warn" title={failureText(error)}>
      {!final && <button type="button" class="button" onClick={again}>{t('act.retry')}</button>}
    </Empty>
  );
}
