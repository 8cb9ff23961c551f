import type { TranslationBundle } from '@jupyterlab/translation';
import { JSONExt, type ReadonlyJSONValue } from '@lumino/coreutils';

import { isObject, type ProfileDocument, valueAt } from './document';
import type { IField } from './fields';
import { resourcesFault } from './resources';

/** One environment variable; what else it has is kept. */
export interface IVariable {
  readonly name: string;
  readonly value: string;
  readonly [key: string]: unknown;
}

/** What a control holds: numbers are text until they are sent. */
export type Entry = string | boolean | readonly IVariable[];

/** What is wrong, by path; parts of lists have a path of their own. */
export type Faults = ReadonlyMap<string, string>;

/** Names of variables that only the service sets, by how they begin. */
const RESERVED = ['REDHARE_', 'MSD_'];

/** What the control of a field shows for a document. */
export function entryOf(field: IField, document: ProfileDocument): Entry {
  const value = valueAt(document, field.path);
  switch (field.kind) {
    case 'flag':
      return value === true;
    case 'variables':
      return Array.isArray(value) ? (value as IVariable[]) : [];
    default:
      return typeof value === 'string' ? value : JSON.stringify(value ?? null);
  }
}

/** Whether the entry is of the shape that the field's control has. */
export function isEntry(field: IField, entry: unknown): entry is Entry {
  switch (field.kind) {
    case 'fact':
      return false;
    case 'flag':
      return typeof entry === 'boolean';
    case 'variables':
      return (
        Array.isArray(entry) &&
        entry.every(
          item =>
            isObject(item) &&
            typeof item.name === 'string' &&
            typeof item.value === 'string'
        )
      );
    default:
      return typeof entry === 'string';
  }
}

export function isSame(a: Entry, b: Entry): boolean {
  return JSONExt.deepEqual(
    a as unknown as ReadonlyJSONValue,
    b as unknown as ReadonlyJSONValue
  );
}

/** The value that is sent for an entry without faults. */
export function valueOf(field: IField, entry: Entry): unknown {
  switch (field.kind) {
    case 'whole':
    case 'number':
      return Number(entry);
    default:
      return entry;
  }
}

/** What is wrong with an entry, by path. */
export function faultsOf(
  field: IField,
  entry: Entry,
  trans: TranslationBundle
): [path: string, message: string][] {
  if (field.kind === 'variables') {
    return variableFaults(field, entry as readonly IVariable[], trans);
  }
  const message = messageOf(field, entry, trans);
  return message === null ? [] : [[field.path, message]];
}

/** The number that is typed; null when it is none. */
export function numberIn(entry: Entry): number | null {
  const text = typeof entry === 'string' ? entry.trim() : '';
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}

function messageOf(
  field: IField,
  entry: Entry,
  trans: TranslationBundle
): string | null {
  switch (field.kind) {
    case 'whole':
    case 'number':
      return isAllowed(field, entry) ? null : mustBe(field, trans);
    case 'resources':
      return resourcesFault(String(entry), trans);
    case 'choice':
      return field.choices.some(({ value }) => value === entry)
        ? null
        : mustBe(field, trans);
    case 'text':
      return field.pattern === null ||
        new RegExp(field.pattern).test(String(entry))
        ? null
        : mustBe(field, trans);
    default:
      return null;
  }
}

function isAllowed(field: IField, entry: Entry): boolean {
  const number = numberIn(entry);
  if (number === null || (field.kind === 'whole' && number % 1 !== 0)) {
    return false;
  }
  if (field.unlimited !== null) {
    // Where -1 is "no limit", 0 and what lies between make no sense.
    return (
      number === field.unlimited ||
      (number > 0 && (field.maximum === null || number <= field.maximum))
    );
  }
  const { minimum, maximum, isOpen } = field;
  return (
    (minimum === null || (isOpen ? number > minimum : number >= minimum)) &&
    (maximum === null || number <= maximum)
  );
}

function mustBe(field: IField, trans: TranslationBundle): string {
  return field.rule
    ? trans.__('Must be %1.', field.rule)
    : trans.__('This is not allowed here.');
}

function variableFaults(
  field: IField,
  variables: readonly IVariable[],
  trans: TranslationBundle
): [string, string][] {
  const faults: [string, string][] = [];
  const seen = new Set<string>();
  variables.forEach(({ name }, index) => {
    const path = `${field.path}.${index}.name`;
    if (name === '') {
      faults.push([path, trans.__('Needs a name.')]);
    } else if (name.includes('=') || name.includes('\0')) {
      faults.push([path, trans.__('A name has no equals sign.')]);
    } else if (RESERVED.some(start => name.startsWith(start))) {
      faults.push([path, trans.__('%1 is set by the service.', name)]);
    } else if (seen.has(name)) {
      faults.push([path, trans.__('%1 is there twice.', name)]);
    }
    seen.add(name);
  });
  return faults;
}
