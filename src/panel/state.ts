import type { IStateDB } from '@jupyterlab/statedb';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { DeploymentsModel } from '../deployments/model';

const KEY = 'edi_labext:panel';

/** The part of a row that shall get the focus once it is there. */
export type FocusTarget = 'row' | 'payload';

/** Which row is open; kept across a reload where there is a state database. */
export class PanelState implements IDisposable {
  constructor(model: DeploymentsModel, database: IStateDB | null) {
    this._model = model;
    this._database = database;
    this._model.changed.connect(this._save, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Name of the row whose details show. */
  get expanded(): string | null {
    return this._expanded;
  }
  set expanded(name: string | null) {
    if (name !== this._expanded) {
      this._expanded = name;
      this._changed.emit();
      this._save();
    }
  }

  /** The version of the server half with which the list shows nevertheless. */
  get acceptedVersion(): string | null {
    return this._acceptedVersion;
  }

  /** Show the list although the server half is of another version than the page. */
  acceptVersion(version: string): void {
    this._acceptedVersion = version;
    this._changed.emit();
  }

  /** Open a row and ask for the focus. */
  reveal(name: string, focus: FocusTarget): void {
    this._focus = { name, target: focus };
    this._model.selected = name;
    this._expanded = name;
    this._changed.emit();
    this._save();
  }

  /** Take the focus that {@link reveal} has asked for; it is given out once. */
  takeFocus(name: string, target: FocusTarget): boolean {
    if (this._focus?.name !== name || this._focus.target !== target) {
      return false;
    }
    this._focus = null;
    return true;
  }

  /** Read what the last visit of the page has left. */
  async restore(): Promise<void> {
    const saved = await this._database?.fetch(KEY);
    if (saved && typeof saved === 'object') {
      const { environment, expanded } = saved as ReadonlyPartialJSONObject;
      if (typeof environment === 'string') {
        this._model.setEnvironment(environment);
      }
      if (typeof expanded === 'string' && this._expanded === null) {
        this._expanded = expanded;
        this._model.selected ??= expanded;
        this._changed.emit();
      }
    }
    this._isRestored = true;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  private _save(): void {
    const environment = this._model.environment?.id;
    if (!this._isRestored || environment === undefined) {
      return;
    }
    const value = { environment, expanded: this._expanded };
    const text = JSON.stringify(value);
    if (text !== this._saved) {
      this._saved = text;
      void this._database?.save(KEY, value);
    }
  }

  private readonly _model: DeploymentsModel;
  private readonly _database: IStateDB | null;
  private readonly _changed = new Signal<this, void>(this);
  private _expanded: string | null = null;
  private _acceptedVersion: string | null = null;
  private _focus: { name: string; target: FocusTarget } | null = null;
  private _saved = '';
  private _isRestored = false;
  private _isDisposed = false;
}
