// What this device remembers between visits. Storage may be off (Zalo's browser, private windows): then it remembers nothing, and works.

export function recall(key: string): string | null {
  try {
    return window.localStorage.getItem(`matthon.${key}`);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    window.localStorage.setItem(`matthon.${key}`, value);
  } catch {
    // Nothing to do: the choice holds until the page is closed.
  }
}
