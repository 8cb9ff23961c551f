import type { TranslationBundle } from '@jupyterlab/translation';

import type { IField, Section } from './fields';

/** The heading of a section. */
export function sectionTitle(
  section: Section,
  trans: TranslationBundle
): string {
  switch (section) {
    case 'gpu':
      return trans.__('GPU');
    case 'resources':
      return trans.__('CPU and memory');
    case 'kernels':
      return trans.__('Kernels');
    case 'timeouts':
      return trans.__('Timeouts');
    case 'batching':
      return trans.__('Batching');
    case 'environment':
      return trans.__('Environment variables');
    case 'advanced':
      return trans.__('Advanced');
  }
}

/** A value of the document for people. */
export function valueText(
  value: unknown,
  trans: TranslationBundle,
  field: IField | null = null
): string {
  if (value === null || value === undefined) {
    return trans.__('not there');
  }
  if (value === '') {
    return trans.__('empty');
  }
  if (field?.unlimited !== null && value === field?.unlimited) {
    return trans.__('no limit');
  }
  if (typeof value === 'object') {
    return JSON.stringify(value);
  }
  return field?.unit ? `${value} ${field.unit}` : String(value);
}

/** The field that a path of the server is about: itself, or what it is part of. */
export function fieldOf(
  path: string,
  fields: readonly IField[]
): IField | null {
  return (
    fields.find(
      field => path === field.path || path.startsWith(`${field.path}.`)
    ) ?? null
  );
}
