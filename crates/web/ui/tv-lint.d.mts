export function lintScript(code: string): string[];
export function lintStyle(code: string): string[];
