import type { Event, IConnectionStatus } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

/** Identifier of the one event that our server half emits. */
export const CHANGED_EVENT = 'https://events.edi-labext/deployments/v1';
/** Milliseconds between renewals of a lease, which lasts a minute. */
export const RENEWAL = 30_000;
/** Least milliseconds between two changes that are told. */
export const PAUSE = 500;
/** Milliseconds by which an event may come later than the change it tells of. */
export const GRACE = 6_000;

/** The list of an environment is of this revision now. */
export interface IRevision {
  readonly environment: string;
  readonly revision: string;
}

/**
 * The server's word that a list has changed, in place of asking again and again.
 *
 * A tab that looks at an environment leases it, so that the server watches it and
 * tells of each change by an event. Whether events arrive cannot be known
 * beforehand: they may not be permitted, or a proxy may hold them back. So they
 * count as working from the first one on, until there is a change that none has
 * told of.
 */
export class LiveUpdates implements IDisposable {
  constructor(options: LiveUpdates.IOptions) {
    this._options = options;
    this._renewal = new Poll({
      auto: true,
      name: 'edi_labext:lease',
      factory: () => this._renew(),
      frequency: { backoff: true, interval: RENEWAL, max: 2 * RENEWAL },
      standby: () =>
        options.lookedAt() === null || options.connection?.isConnected === false
          ? true
          : 'when-hidden'
    });
    options.events?.stream.connect(this._onEvent, this);
  }

  /** Emitted with each revision that an event tells of, not too often. */
  get told(): ISignal<this, IRevision> {
    return this._told;
  }

  /** Emitted when events begin or cease to work. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether events tell of changes, so that asking is only a safety net. */
  get isWorking(): boolean {
    return this._isWorking;
  }

  get isDisposed(): boolean {
    return this._renewal.isDisposed;
  }

  /** Renew the lease now: somebody begins to look, or looks somewhere else. */
  renew(): void {
    if (this._options.lookedAt() !== null) {
      void this._renewal.refresh();
    }
  }

  /** Take into account what the server has answered to a question of our own. */
  observe(seen: IRevision): void {
    const { environment, revision } = seen;
    const before = this._seen.get(environment);
    this._seen.set(environment, revision);
    if (
      this._isWorking &&
      before !== undefined &&
      before !== revision &&
      this._latest !== revision
    ) {
      this._doubt ??= window.setTimeout(() => this.distrust(), GRACE);
    }
  }

  /** Rely on events no more, until the next one arrives. */
  distrust(): void {
    this._setWorking(false);
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._renewal.dispose();
    window.clearTimeout(this._doubt);
    window.clearTimeout(this._later);
    Signal.clearData(this);
  }

  private async _renew(): Promise<void> {
    const environment = this._options.lookedAt();
    if (environment !== null && this._options.events !== null) {
      await this._options.lease(environment, this._tab);
    }
  }

  private _onEvent(_: Event.IManager, event: Event.Emission): void {
    const { environment, revision, schema_id } = event;
    if (
      schema_id !== CHANGED_EVENT ||
      typeof environment !== 'string' ||
      typeof revision !== 'string'
    ) {
      return;
    }
    this._setWorking(true);
    this._latest = revision;
    this._waiting.set(environment, revision);
    const pause = this._toldAt + PAUSE - Date.now();
    this._later ??= window.setTimeout(() => this._tell(), Math.max(0, pause));
  }

  private _tell(): void {
    this._later = undefined;
    this._toldAt = Date.now();
    const waiting = [...this._waiting];
    this._waiting.clear();
    for (const [environment, revision] of waiting) {
      this._told.emit({ environment, revision });
    }
  }

  private _setWorking(value: boolean): void {
    window.clearTimeout(this._doubt);
    this._doubt = undefined;
    if (value !== this._isWorking) {
      this._isWorking = value;
      this._changed.emit();
    }
  }

  private readonly _options: LiveUpdates.IOptions;
  private readonly _renewal: Poll<void>;
  private readonly _told = new Signal<this, IRevision>(this);
  private readonly _changed = new Signal<this, void>(this);
  private readonly _tab = UUID.uuid4();
  /** Last revision of each environment that the server has answered. */
  private readonly _seen = new Map<string, string>();
  /** Revisions that events brought and that are not told yet. */
  private readonly _waiting = new Map<string, string>();
  /** The revision that the last event brought. */
  private _latest: string | null = null;
  private _toldAt = 0;
  private _later: number | undefined;
  private _doubt: number | undefined;
  private _isWorking = false;
}

export namespace LiveUpdates {
  export interface IOptions {
    /** The Jupyter server's events; null where there are none. */
    events: Pick<Event.IManager, 'stream'> | null;
    connection: IConnectionStatus | null;
    /** Id of the environment that somebody looks at; null when nobody does. */
    lookedAt: () => string | null;
    /** Ask the server to watch an environment for this tab. */
    lease: (environment: string, tab: string) => Promise<unknown>;
  }
}
