import type { IStateDB } from '@jupyterlab/statedb';

import { isObject } from './document';
import type { Entry } from './entries';

const KEY = 'edi_labext:profile-drafts';
/** Number of deployments whose edits are remembered. */
const MOST = 20;

/** Edits of one profile that were not saved, by path of the field. */
export type Edits = Readonly<Record<string, Entry>>;

/**
 * Edits of profiles that were not saved, kept across a reload where there is a
 * state database.
 */
export class ProfileDrafts {
  constructor(database: IStateDB | null) {
    this._database = database;
    this._ready = this._load();
  }

  /** The edits of a profile; whoever takes them checks what they are. */
  async get(
    environment: string,
    name: string
  ): Promise<Record<string, unknown>> {
    await this._ready;
    const edits = this._drafts.get(key(environment, name));
    return isObject(edits) ? edits : {};
  }

  /** Remember the edits of a profile; none forgets it. */
  async set(environment: string, name: string, edits: Edits): Promise<void> {
    await this._ready;
    const id = key(environment, name);
    const isKnown = this._drafts.delete(id);
    if (Object.keys(edits).length > 0) {
      // A map keeps the order of insertion: the newest comes last.
      this._drafts.set(id, edits);
    } else if (!isKnown) {
      return;
    }
    const kept = Object.fromEntries([...this._drafts].slice(-MOST));
    await this._database?.save(KEY, JSON.parse(JSON.stringify(kept)));
  }

  private async _load(): Promise<void> {
    const saved = await this._database?.fetch(KEY);
    if (isObject(saved)) {
      for (const [id, edits] of Object.entries(saved)) {
        this._drafts.set(id, edits);
      }
    }
  }

  private readonly _database: IStateDB | null;
  private readonly _drafts = new Map<string, unknown>();
  private readonly _ready: Promise<void>;
}

function key(environment: string, name: string): string {
  return `${environment}/${name}`;
}
