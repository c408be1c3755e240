// How a page inside a chat asks for the phone's own browser. Pure.

/** Android takes an address that names an intent; elsewhere nothing a page can say leads out, and the words beside it tell how. */
export function outside(agent: string, address: string): string {
  const url = /^(https?):\/\/(.+)$/.exec(address);
  if (!url || !/\bAndroid\b/i.test(agent)) return address;
  return `intent://${url[2] ?? ''}#Intent;scheme=${url[1] ?? ''};action=android.intent.action.VIEW;end`;
}
