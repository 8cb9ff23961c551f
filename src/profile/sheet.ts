import type { TranslationBundle } from '@jupyterlab/translation';

import { type ProfileDocument, withValue } from './document';
import type { Edits } from './drafts';
import {
  type Entry,
  entryOf,
  type Faults,
  faultsOf,
  isEntry,
  isSame,
  numberIn,
  valueOf
} from './entries';
import type { IField } from './fields';

const LEAST = 'policy.kernel_min';
const MOST = 'policy.kernel_max';

/**
 * A saved profile with a person's edits on top. Immutable; an entry that says
 * the same as the saved profile is no edit.
 */
export class ProfileSheet {
  constructor(
    readonly document: ProfileDocument,
    readonly fields: readonly IField[],
    edits: Readonly<Record<string, unknown>> = {}
  ) {
    const kept: Record<string, Entry> = {};
    for (const field of fields) {
      const entry = edits[field.path];
      if (
        entry !== undefined &&
        isEntry(field, entry) &&
        !isSame(entry, entryOf(field, document))
      ) {
        kept[field.path] = entry;
      }
    }
    this.edits = kept;
  }

  readonly edits: Edits;

  /** Whether there are edits. */
  get isEdited(): boolean {
    return Object.keys(this.edits).length > 0;
  }

  field(path: string): IField | null {
    return this.fields.find(field => field.path === path) ?? null;
  }

  /** What the control of a field shows. */
  entry(field: IField): Entry {
    return this.edits[field.path] ?? entryOf(field, this.document);
  }

  /** What the control of the field at a path shows; null without the field. */
  entryAt(path: string): Entry | null {
    const field = this.field(path);
    return field && this.entry(field);
  }

  /** The sheet with another entry. */
  with(path: string, entry: Entry): ProfileSheet {
    const edits = { ...this.edits, [path]: entry };
    return new ProfileSheet(this.document, this.fields, edits);
  }

  /**
   * The sheet after a person has finished with a field: raising the least
   * number of kernels lifts the most, lowering the most lowers the least.
   */
  settle(path: string): ProfileSheet {
    if (path !== LEAST && path !== MOST) {
      return this;
    }
    const [least, most] = [LEAST, MOST].map(end => {
      const entry = this.entryAt(end);
      return entry === null ? null : numberIn(entry);
    });
    const unlimited = this.field(MOST)?.unlimited;
    if (
      least === null ||
      most === null ||
      most === unlimited ||
      least <= most ||
      this._isFaulty(path)
    ) {
      return this;
    }
    return path === LEAST
      ? this.with(MOST, String(least))
      : this.with(LEAST, String(most));
  }

  /** The document to save; entries with faults stay as they are saved. */
  toDocument(): ProfileDocument {
    return this._edited().reduce(
      (document, field) =>
        withValue(document, field.path, valueOf(field, this.entry(field))),
      this.document
    );
  }

  /** What is wrong with the edits; what the service itself has is not looked at. */
  faults(trans: TranslationBundle): Faults {
    return new Map(
      this._edited().flatMap(field => faultsOf(field, this.entry(field), trans))
    );
  }

  private _isFaulty(path: string): boolean {
    const field = this.field(path);
    // Only whether there is one counts, not its words.
    const words = { __: (text: string) => text } as TranslationBundle;
    return (
      field !== null && faultsOf(field, this.entry(field), words).length > 0
    );
  }

  private _edited(): IField[] {
    return this.fields.filter(({ path }) => path in this.edits);
  }
}
