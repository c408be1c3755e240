// A link inside the page: a real address, opened without loading the page again.

import type { ComponentChildren } from 'preact';
import { go } from '../router';

interface Props {
  to: string;
  class?: string;
  label?: string;
  current?: boolean;
  /** Attributes that say what it stands for. */
  data?: { [name: `data-${string}`]: string | number };
  children: ComponentChildren;
}

export function Link({ to, class: name, label, current, data, children }: Props) {
  const onClick = (event: MouseEvent) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a href={to} class={name} aria-label={label} aria-current={current ? 'page' : undefined} onClick={onClick} {...data}>
      {children}
    </a>
  );
}
