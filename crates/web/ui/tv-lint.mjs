// The TV's bundle holds nothing that Chromium 68 does not know: its syntax is read by a parser that stops at ES2017, and features that came
// later are looked for by name. Does not belong here: the phone's page, which runs in younger browsers.
import { parse } from 'acorn';
import { full } from 'acorn-walk';

/** Methods of values, by name: whoever calls them on something of his own gives that another name. */
const METHODS = new Set([
  'at', 'flat', 'flatMap', 'fromEntries', 'matchAll', 'replaceAll', 'trimStart', 'trimEnd', 'allSettled', 'findLast', 'findLastIndex', 'hasOwn',
  'toSorted', 'toReversed', 'toSpliced', 'groupBy', 'withResolvers', 'replaceChildren', 'randomUUID', 'requestVideoFrameCallback', 'showModal',
  'checkVisibility', 'throwIfAborted', 'canParse', 'getOrInsert', 'isWellFormed',
]);
const GLOBALS = new Set([
  'globalThis', 'queueMicrotask', 'structuredClone', 'WeakRef', 'FinalizationRegistry', 'AggregateError', 'BigInt', 'BigInt64Array', 'BigUint64Array',
  'CompressionStream', 'DecompressionStream', 'OffscreenCanvas', 'VideoDecoder', 'VideoFrame', 'WebTransport', 'TransformStream', 'EyeDropper', 'scheduler',
  'reportError', 'CSSStyleSheet', 'Temporal', 'Iterator',
]);
const STYLE = [/\bgap\s*:/, /\binset\s*:/, /aspect-ratio\s*:/, /:is\(/, /:where\(/, /:has\(/, /:focus-visible/, /\bclamp\(/, /\bmin\(/, /\bmax\(/, /\d(d|s|l)v[hw]\b/, /@layer/, /@container/, /color-mix\(/, /\boklch\(/];

/** What is too young in a script, in words; empty: nothing. */
export function lintScript(code) {
  let tree;
  try {
    tree = parse(code, { ecmaVersion: 2017, sourceType: 'script' });
  } catch (error) {
    return [`is not ES2017: ${error.message}`];
  }
  const found = new Set();
  const nameOf = (member) => (member.computed ? member.property.type === 'Literal' && member.property.value : member.property.name);
  full(tree, (node) => {
    if (node.type === 'Identifier' && GLOBALS.has(node.name)) found.add(`uses ${node.name}, which Chromium 68 does not have`);
    // Only what is called: `at` is also a fine name of a field.
    if (node.type === 'CallExpression' && node.callee.type === 'MemberExpression' && METHODS.has(nameOf(node.callee))) {
      found.add(`uses .${nameOf(node.callee)}, which Chromium 68 does not have`);
    }
    if (node.type !== 'MemberExpression') return;
    if (node.object.name === 'AbortSignal') found.add('uses AbortSignal, whose parts are younger than Chromium 68');
    if ((node.object.name === 'window' || node.object.name === 'self') && GLOBALS.has(nameOf(node))) {
      found.add(`uses ${nameOf(node)}, which Chromium 68 does not have`);
    }
  });
  return [...found];
}

/** The same of a style sheet. */
export function lintStyle(code) {
  return STYLE.filter((young) => young.test(code)).map((young) => `uses ${young.source}, which Chromium 68 does not have`);
}
