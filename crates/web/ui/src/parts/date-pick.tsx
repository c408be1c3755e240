// A day, written 23/11/2026 whatever the browser's own habit, picked with the browser's own calendar.

import { useRef } from 'preact/hooks';
import { dayText, type Day } from '../time';

export function DatePick({ day, max, label, onPick }: { day: Day; max: Day; label: string; onPick: (day: Day) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const open = () => {
    const el = input.current as (HTMLInputElement & { showPicker?: () => void }) | null;
    try {
      el?.showPicker?.();
    } catch {
      // Not from a tap of the user's: typing still works.
    }
  };
  return (
    <span class="date-pick">
      <span aria-hidden="true">{dayText(day)}</span>
      <input
        ref={input} type="date" value={day} max={max} aria-label={`${label} ${dayText(day)}`} onClick={open}
        onChange={(event) => {
          const picked = event.currentTarget.value;
          if (picked !== '' && picked <= max) onPick(picked);
        }}
      />
    </span>
  );
}
