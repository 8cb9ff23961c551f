/** Longest deployment name, in characters. */
export const MAX_NAME_LENGTH = 63;

// The grammar of `edi_labext/models/names.py`: a label of Kubernetes.
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether the text is a deployment name. */
export function isValidName(text: string): boolean {
  return NAME.test(text);
}

/** A valid name made of the text, or null when nothing of it can be used. */
export function suggestName(text: string): string | null {
  const plain = text
    .normalize('NFKD')
    // Letters without their accents; what has no Latin letter falls out.
    .replace(/[^\p{ASCII}]/gu, '')
    .toLowerCase();
  const joined = plain
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, MAX_NAME_LENGTH)
    .replace(/-+$/, '');
  return joined === '' ? null : joined;
}

/** The first of `name-2`, `name-3`, … that is not taken. */
export function nextFreeName(
  name: string,
  isTaken: (name: string) => boolean
): string {
  for (let number = 2; ; number++) {
    const ending = `-${number}`;
    const start = name
      .slice(0, MAX_NAME_LENGTH - ending.length)
      .replace(/-+$/, '');
    if (!isTaken(start + ending)) {
      return start + ending;
    }
  }
}
