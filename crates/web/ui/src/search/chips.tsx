// A row of words to tap, any number of them.

import { toggled } from './query';

interface Props {
  name: string;
  title: string;
  all: readonly string[];
  chosen: readonly string[];
  text: (one: string) => string;
  /** Beside the word: a dot of that colour. */
  dots?: boolean;
  onChoose: (chosen: string[]) => void;
}

export function Chips({ name, title, all, chosen, text, dots, onChoose }: Props) {
  return (
    <fieldset class="chips" data-chips={name}>
      <legend>{title}</legend>
      {all.map((one) => (
        <button key={one} type="button" class="chip" data-chip={one} aria-pressed={chosen.includes(one)} onClick={() => onChoose(toggled(chosen, one))}>
          {dots && <span class={`dot ${one}`} aria-hidden="true" />}{text(one)}
        </button>
      ))}
    </fieldset>
  );
}
