import type { IStateDB } from '@jupyterlab/statedb';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

const KEY = 'edi_labext:payloads';
/** Longest payload that is remembered, in UTF-16 units. */
const LONGEST = 64 * 1024;
/** Number of deployments whose payload is remembered. */
const MOST = 50;

/**
 * The last payload of each deployment, kept across a reload where there is a
 * state database. Large payloads are remembered for this page only.
 */
export class Drafts {
  constructor(database: IStateDB | null) {
    this._database = database;
    this._ready = this._load();
  }

  /** The last payload of a deployment, or null. */
  async get(environment: string, name: string): Promise<string | null> {
    await this._ready;
    return this._drafts.get(key(environment, name)) ?? null;
  }

  /** Remember a payload. */
  async set(environment: string, name: string, text: string): Promise<void> {
    await this._ready;
    const id = key(environment, name);
    if (this._drafts.get(id) === text) {
      return;
    }
    // A map keeps the order of insertion: the newest comes last.
    this._drafts.delete(id);
    this._drafts.set(id, text);
    const kept = [...this._drafts]
      .filter(([, draft]) => draft.length <= LONGEST)
      .slice(-MOST);
    await this._database?.save(KEY, Object.fromEntries(kept));
  }

  private async _load(): Promise<void> {
    const saved = await this._database?.fetch(KEY);
    if (saved && typeof saved === 'object') {
      for (const [id, text] of Object.entries(
        saved as ReadonlyPartialJSONObject
      )) {
        if (typeof text === 'string') {
          this._drafts.set(id, text);
        }
      }
    }
  }

  private readonly _database: IStateDB | null;
  private readonly _drafts = new Map<string, string>();
  private readonly _ready: Promise<void>;
}

function key(environment: string, name: string): string {
  return `${environment}/${name}`;
}
