// When to spare somebody's mobile data. Pure.

/** `auto`: as the connection says. */
export type SaverChoice = 'auto' | 'on' | 'off';

/** What browsers tell of the connection (Network Information); many tell nothing. */
export interface ConnectionInfo {
  readonly saveData?: boolean;
  readonly type?: string;
}

export function saving(choice: SaverChoice, connection: ConnectionInfo | null): boolean {
  if (choice !== 'auto') return choice === 'on';
  return connection?.saveData === true || connection?.type === 'cellular';
}

export function asChoice(text: string | null): SaverChoice {
  return text === 'on' || text === 'off' ? text : 'auto';
}
