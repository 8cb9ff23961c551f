import type { TranslationBundle } from '@jupyterlab/translation';

/** The parts of a `resources` text, in the order in which EDI prints them. */
export const RESOURCE_KEYS = [
  'ncpus',
  'ncpus_limit',
  'mem',
  'mem_limit'
] as const;

export type ResourceKey = (typeof RESOURCE_KEYS)[number];

const MB_PER_GB = 1024;
// The grammar of `edi_labext/models/resources.py`.
const NCPUS = /^\d{1,6}(\.\d{1,3})?$/;
const MEM = /^(\d{1,10})([gG]?)$/;
const MAX_NCPUS = 100_000;
const MAX_MEM = 2 ** 30;
const BLANKS = /^[ \t\r\n]+|[ \t\r\n]+$/g;

/** What a box shows for a key: the text behind `=`, or the empty text. */
export function partOf(text: string, key: ResourceKey): string {
  return partsOf(text).find(([name]) => name === key)?.[1] ?? '';
}

/** The text with another value for a key; an empty one removes the key. */
export function withPart(
  text: string,
  key: ResourceKey,
  value: string
): string {
  // A comma would begin another part.
  const clean = value.replace(/[,=]/g, '').replace(BLANKS, '');
  const parts = partsOf(text);
  const index = parts.findIndex(([name]) => name === key);
  if (clean === '') {
    return print(parts.filter(([name]) => name !== key));
  }
  if (index >= 0) {
    parts[index] = [key, clean];
    return print(parts);
  }
  // Behind those that EDI prints before it.
  const before = RESOURCE_KEYS.slice(0, RESOURCE_KEYS.indexOf(key));
  const place = parts.reduce(
    (end, [name], at) => (before.some(other => other === name) ? at + 1 : end),
    0
  );
  parts.splice(place, 0, [key, clean]);
  return print(parts);
}

/** Megabytes of a memory value; null when it is none. */
export function megabytes(value: string): number | null {
  const match = MEM.exec(value);
  if (match === null) {
    return null;
  }
  const number = Number(match[1]) * (match[2] ? MB_PER_GB : 1);
  return number > 0 && number <= MAX_MEM ? number : null;
}

/** A memory value in GB for people, or the empty text. */
export function gigabytes(value: string): string {
  const number = megabytes(value);
  if (number === null) {
    return '';
  }
  const rounded = Number((number / MB_PER_GB).toPrecision(3));
  return `${rounded} GB`;
}

/** What is wrong with the value of one key; null when nothing is. */
export function partFault(
  text: string,
  key: ResourceKey,
  trans: TranslationBundle
): string | null {
  const value = partOf(text, key);
  if (value === '') {
    return null;
  }
  const number = numberOf(key, value);
  if (number === null) {
    return key.startsWith('ncpus')
      ? trans.__('Must be a number above 0 with at most three decimals.')
      : trans.__('Must be a whole number of MB above 0.');
  }
  if (key === 'ncpus_limit' || key === 'mem_limit') {
    const request = key === 'mem_limit' ? 'mem' : 'ncpus';
    const least = numberOf(request, partOf(text, request));
    if (least !== null && number < least) {
      return trans.__('Must not be below the request.');
    }
  }
  return null;
}

/** What is wrong with the text as a whole; null when nothing is. */
export function resourcesFault(
  text: string,
  trans: TranslationBundle
): string | null {
  const seen = new Set<string>();
  for (const piece of text.replace(BLANKS, '').split(',')) {
    const [key, ...rest] = piece.split('=').map(part => part.trim());
    if (key === '' || rest.length !== 1 || rest[0] === '') {
      return trans.__(
        'Must be text like %1.',
        'ncpus=0.5,ncpus_limit=2,mem=1024,mem_limit=4096'
      );
    }
    if (!RESOURCE_KEYS.some(known => known === key)) {
      return trans.__(
        '%1 is not known; there are %2.',
        key,
        RESOURCE_KEYS.join(', ')
      );
    }
    if (seen.has(key)) {
      return trans.__('%1 is given twice.', key);
    }
    seen.add(key);
  }
  for (const key of RESOURCE_KEYS) {
    const fault = partFault(text, key, trans);
    if (fault !== null) {
      return `${key}: ${fault}`;
    }
  }
  return null;
}

function numberOf(key: ResourceKey, value: string): number | null {
  if (!key.startsWith('ncpus')) {
    return megabytes(value);
  }
  const number = NCPUS.test(value) ? Number(value) : 0;
  return number > 0 && number <= MAX_NCPUS ? number : null;
}

type Part = [key: string, value: string | undefined];

/** The parts of whatever text, so that one typing error hides no other box. */
function partsOf(text: string): Part[] {
  return text
    .split(',')
    .filter(piece => piece.trim() !== '')
    .map(piece => {
      const at = piece.indexOf('=');
      return at < 0
        ? [piece.trim(), undefined]
        : [piece.slice(0, at).trim(), piece.slice(at + 1).trim()];
    });
}

function print(parts: readonly Part[]): string {
  return parts
    .map(([key, value]) => (value === undefined ? key : `${key}=${value}`))
    .join(',');
}
