// Whether what the box keeps can be trusted: its key, the day's fingerprint, and who saw what.

import { t, tKey } from '../i18n';
import { usePoll } from '../poll';
import { mayAudit } from '../roles';
import { clockSeconds, date, fromApi } from '../time';
import type { AuditLog, Fingerprints } from '../types';

const EVERY_MS = 60_000;

export function Trust({ zone }: { zone: string }) {
  const { data } = usePoll<Fingerprints>('fingerprints', EVERY_MS);
  const today = data?.fingerprints[0];
  return (
    <>
      {data && (
        <article class="card trust">
          <h3>{t('trust.title')}</h3>
          {today ? (
            <>
              <p class="spoken" data-day={today.day}>{today.words}</p>
              <p class="hint">{t('trust.day', { day: today.day })}</p>
              <textarea class="line" readOnly rows={3} aria-label={t('trust.line')} value={today.line} onFocus={(event) => event.currentTarget.select()} />
            </>
          ) : <p class="hint">{t('trust.none')}</p>}
          <dl><div><dt>{t('trust.key')}</dt><dd class="key">{data.key}</dd></div></dl>
        </article>
      )}
      {mayAudit() && <Log zone={zone} />}
    </>
  );
}

function Log({ zone }: { zone: string }) {
  const { data } = usePoll<AuditLog>('audit?limit=50', EVERY_MS);
  if (!data) return null;
  return (
    <details class="card audit">
      <summary>{t('audit.title')}</summary>
      <ol>
        {data.rows.map((row) => {
          const at = fromApi(row.at) ?? 0;
          return (
            <li key={row.seq} data-what={row.what}>
              <span class="history-at">{clockSeconds(at, zone)} {date(at, zone)}</span>
              <span><strong>{tKey(`audit.${row.what}`, 'audit.unknown')}</strong>{row.who ? ` – ${row.who}` : ''}{row.subject ? ` · ${row.subject}` : ''}</span>
            </li>
          );
        })}
      </ol>
    </details>
  );
}
