// Zalo's own browser, in which links of its chats open. Nothing else about browsers.

/** Whether the page is opened there: what is bound there is not in the phone's browser, and no alert ever comes. */
export function insideZalo(agent: string): boolean {
  return /\bzalo\b/i.test(agent);
}
