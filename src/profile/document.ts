/** A whole profile as it goes over the wire. */
export type ProfileDocument = Record<string, unknown>;

/** Whether the value is an object with keys, and no list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a dotted path; undefined when there is none. */
export function valueAt(document: ProfileDocument, path: string): unknown {
  let value: unknown = document;
  for (const key of path.split('.')) {
    value = isObject(value) ? value[key] : undefined;
  }
  return value;
}

/** A copy of the document with another value at a dotted path. */
export function withValue(
  document: ProfileDocument,
  path: string,
  value: unknown
): ProfileDocument {
  const [key, ...rest] = path.split('.');
  if (rest.length === 0) {
    return { ...document, [key]: value };
  }
  const inner = document[key];
  return {
    ...document,
    [key]: withValue(isObject(inner) ? inner : {}, rest.join('.'), value)
  };
}

/** The dotted paths of everything that is no object, in the document's order. */
export function leafPaths(document: ProfileDocument, above = ''): string[] {
  return Object.entries(document).flatMap(([key, value]) =>
    isObject(value) && Object.keys(value).length > 0
      ? leafPaths(value, `${above}${key}.`)
      : [above + key]
  );
}
