// A list of choices for arrow keys and OK. The one chosen is marked; nothing has to be pointed at.

import type { Key } from './keys';

export interface Choice {
  id: string;
  text: () => string;
  /** Left and right change its value, if it has one. */
  change?: (steps: number) => void;
  ok: () => void;
}

export class Menu {
  private at = 0;

  constructor(private readonly element: HTMLElement, private readonly title: string, private readonly choices: readonly Choice[], private readonly back: () => void) {
    this.draw();
    element.hidden = false;
  }

  key(key: Key): void {
    const choice = this.choices[this.at];
    if (key === 'back') this.back();
    else if (key === 'ok') choice && choice.ok();
    else if (key === 'up' || key === 'down') this.at = (this.at + (key === 'down' ? 1 : this.choices.length - 1)) % this.choices.length;
    else if (choice && choice.change) choice.change(key === 'right' ? 1 : -1);
    if (!this.element.hidden) this.draw();
  }

  close(): void {
    this.element.hidden = true;
    this.element.textContent = '';
  }

  private draw(): void {
    this.element.textContent = '';
    const title = document.createElement('h2');
    title.textContent = this.title;
    this.element.appendChild(title);
    this.choices.forEach((choice, n) => {
      const line = document.createElement('p');
      line.className = n === this.at ? 'choice at' : 'choice';
      line.setAttribute('data-choice', choice.id);
      line.textContent = choice.change ? `◂ ${choice.text()} ▸` : choice.text();
      // A kiosk may have a touch screen after all.
      line.onclick = () => {
        this.at = n;
        choice.ok();
      };
      this.element.appendChild(line);
    });
  }
}
