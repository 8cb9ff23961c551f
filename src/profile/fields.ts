import { isObject, leafPaths, type ProfileDocument, valueAt } from './document';

/** The sections of the form, in their order. */
export const SECTIONS = [
  'gpu',
  'resources',
  'kernels',
  'timeouts',
  'batching',
  'environment',
  'advanced'
] as const;

export type Section = (typeof SECTIONS)[number];

/** What kind of control a field needs. */
export type FieldKind =
  | 'whole'
  | 'number'
  | 'text'
  | 'flag'
  | 'choice'
  | 'resources'
  | 'variables'
  /** Something that is only shown. */
  | 'fact';

/** One of the values that a field may have, with what it means. */
export interface IChoice {
  value: string;
  sentence: string;
}

/** One field of the form: what the server's schema says about it. */
export interface IField {
  /** Dotted path in the document. */
  path: string;
  kind: FieldKind;
  section: Section;
  title: string;
  description: string;
  /** What is allowed, to be put behind "Must be". */
  rule: string;
  unit: string;
  minimum: number | null;
  maximum: number | null;
  /** Whether the minimum itself is not allowed. */
  isOpen: boolean;
  /** The value that means "no limit", where there is one. */
  unlimited: number | null;
  /** A regular expression that a text must match. */
  pattern: string | null;
  choices: readonly IChoice[];
  /** The keys of the `resources` text that count, by GPU mode. */
  counts: Readonly<Record<string, readonly string[]>>;
  fallback: unknown;
  /** Whether this EDI acts on it, or on a part; otherwise it only keeps it. */
  isHonoured: boolean;
  /** The parts of a text that it acts on; empty when that is all or nothing. */
  partsThatCount: readonly string[];
}

/** What fields are made of. */
export interface IFieldSources {
  profile: ProfileDocument;
  schema: ProfileDocument;
  /** Dotted paths of what this EDI acts on, also in part; null is everything. */
  honoured: readonly string[] | null;
}

/**
 * The fields of a profile in the order of the form; what the schema does not
 * know comes last and is only shown. A field that this EDI does not have is
 * left out.
 */
export function fieldsOf(sources: IFieldSources): IField[] {
  const { profile, schema, honoured } = sources;
  const fields: IField[] = [];
  const walk = (node: ProfileDocument, above: string): void => {
    for (const [key, raw] of Object.entries(objectAt(node, 'properties'))) {
      const path = above + key;
      const property = resolve(raw, schema);
      if (valueAt(profile, path) === undefined) {
        continue;
      }
      if (isObject(property.properties)) {
        walk(property, `${path}.`);
      } else {
        const field = toField(path, property, valueAt(profile, path));
        fields.push({ ...field, ...useOf(field, honoured) });
      }
    }
  };
  walk(schema, '');
  const known = fields.map(({ path }) => path);
  const isKnown = (path: string): boolean =>
    known.some(other => path === other || path.startsWith(`${other}.`));
  for (const path of leafPaths(profile).filter(path => !isKnown(path))) {
    const title = path;
    fields.push({ ...toField(path, { title }, null), kind: 'fact' });
  }
  // Sorting is stable: within a section the order is the schema's.
  return fields.sort(
    (a, b) => SECTIONS.indexOf(a.section) - SECTIONS.indexOf(b.section)
  );
}

/** What the EDI does with a field. */
function useOf(
  { path, kind }: IField,
  honoured: readonly string[] | null
): Pick<IField, 'isHonoured' | 'partsThatCount'> {
  const whole = honoured === null || honoured.includes(path);
  const parts = (honoured ?? [])
    .filter(other => other.startsWith(`${path}.`))
    .map(other => other.slice(path.length + 1));
  return {
    isHonoured: whole || parts.length > 0 || kind === 'fact',
    partsThatCount: whole ? [] : parts
  };
}

/** A field that an EDI acts on, if it does not tell otherwise. */
function toField(
  path: string,
  property: ProfileDocument,
  value: unknown
): IField {
  const exclusive = numberAt(property, 'exclusiveMinimum');
  const kind = kindOf(property, value);
  return {
    path,
    kind,
    section: sectionOf(property),
    title: textAt(property, 'title') || path,
    description: textAt(property, 'description'),
    rule: textAt(property, 'rule'),
    unit: textAt(property, 'unit'),
    minimum: exclusive ?? numberAt(property, 'minimum'),
    maximum: numberAt(property, 'maximum'),
    isOpen: exclusive !== null,
    unlimited: numberAt(property, 'unlimited'),
    pattern: textAt(property, 'pattern') || null,
    choices: choicesOf(property),
    counts: objectAt(property, 'counts') as IField['counts'],
    fallback: property.default,
    isHonoured: true,
    partsThatCount: []
  };
}

function sectionOf(property: ProfileDocument): Section {
  const section = SECTIONS.find(name => name === property.section);
  return property.advanced === true ? 'advanced' : (section ?? 'advanced');
}

/** A value of a kind that the schema does not expect can only be shown. */
function kindOf(property: ProfileDocument, value: unknown): FieldKind {
  if (property.readOnly === true) {
    return 'fact';
  }
  switch (property.type) {
    case 'integer':
      return typeof value === 'number' ? 'whole' : 'fact';
    case 'number':
      return typeof value === 'number' ? 'number' : 'fact';
    case 'boolean':
      return typeof value === 'boolean' ? 'flag' : 'fact';
    case 'array':
      return isVariables(value) ? 'variables' : 'fact';
    case 'string':
      if (typeof value !== 'string') {
        return 'fact';
      }
      if (isObject(property.counts)) {
        return 'resources';
      }
      return Array.isArray(property.enum) ? 'choice' : 'text';
    default:
      return 'fact';
  }
}

function isVariables(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      item =>
        isObject(item) &&
        typeof item.name === 'string' &&
        typeof item.value === 'string'
    )
  );
}

function choicesOf(property: ProfileDocument): IChoice[] {
  const sentences = objectAt(property, 'sentences');
  const values = Array.isArray(property.enum) ? property.enum : [];
  return values
    .filter((value): value is string => typeof value === 'string')
    .map(value => ({ value, sentence: textAt(sentences, value) }));
}

/** The schema of a property, behind its reference if it is one. */
function resolve(raw: unknown, schema: ProfileDocument): ProfileDocument {
  if (!isObject(raw)) {
    return {};
  }
  const reference = typeof raw.$ref === 'string' ? raw.$ref : null;
  const name = reference?.match(/^#\/\$defs\/(\w+)$/)?.[1];
  return name ? objectAt(objectAt(schema, '$defs'), name) : raw;
}

function objectAt(node: ProfileDocument, key: string): ProfileDocument {
  const value = node[key];
  return isObject(value) ? value : {};
}

function textAt(node: ProfileDocument, key: string): string {
  const value = node[key];
  return typeof value === 'string' ? value : '';
}

function numberAt(node: ProfileDocument, key: string): number | null {
  const value = node[key];
  return typeof value === 'number' ? value : null;
}
