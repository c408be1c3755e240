// Whether an address of this page is one inside the village. Pure.

/** A machine's own network knows these; any other name may lead in from far away, where no TV is paired. */
export function insideVillage(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/^\[|\]$/g, '');
  if (name === 'localhost' || name.endsWith('.local') || name.endsWith('.lan') || /^(::1|f[cd][0-9a-f]{2}:|fe80:)/.test(name)) return true;
  const parts = /^(\d{1,3})\.(\d{1,3})\.\d{1,3}\.\d{1,3}$/.exec(name);
  if (!parts) return !name.includes('.') && !name.includes(':') && name !== '';
  const [first, second] = [Number(parts[1]), Number(parts[2])];
  return first === 10 || first === 127 || (first === 192 && second === 168) || (first === 172 && second >= 16 && second < 32) || (first === 169 && second === 254);
}
