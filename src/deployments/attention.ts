import type { IDisposable } from '@lumino/disposable';

import { type IRevision, LiveUpdates } from './live';
import { DeploymentsPoll, HURRIED, RELAXED, STEADY } from './poll';

/**
 * Who looks at the list, and so when the server is asked: by the clock, and
 * between its strokes when an event or somebody's action gives reason to.
 */
export class Attention implements IDisposable {
  constructor(options: Attention.IOptions) {
    const { connection } = options;
    this._options = options;
    this._poll = new DeploymentsPoll({
      fetch: options.fetch,
      isWanted: () => this._isWanted,
      connection
    });
    this._live = new LiveUpdates({
      events: options.events,
      connection,
      lookedAt: () => (this._isLooking ? options.environment() : null),
      lease: options.lease
    });
    this._live.told.connect(this._onTold, this);
    this._live.changed.connect(this._onLiveChanged, this);
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  /** Whether somebody has the list in front of them. */
  get isActive(): boolean {
    return this._isActive;
  }
  set isActive(value: boolean) {
    if (value !== this._isActive) {
      this._isActive = value;
      this._catchUp();
    }
  }

  /** Whether nobody can see the page. */
  get isHidden(): boolean {
    return this._isHidden;
  }
  set isHidden(value: boolean) {
    if (value !== this._isHidden) {
      this._isHidden = value;
      this._catchUp();
    }
  }

  /** Ask now; calls at the same time share one request. */
  refresh(): Promise<void> {
    return this._poll.refresh();
  }

  /** Ask for the list now, even if nobody looks at it. */
  askOnce(): void {
    this._isAsked = true;
    void this.refresh();
  }

  /** Whether the list is wanted and not only the jobs; `askOnce` counts once. */
  takeWish(): boolean {
    const isWished = this._isActive || this._isAsked;
    this._isAsked = false;
    return isWished;
  }

  /** Another environment is looked at. */
  turn(): void {
    this._live.renew();
    void this.refresh();
  }

  /** The server has answered: with a list, or, if null, with something else. */
  answered(seen: IRevision | null): void {
    if (seen !== null) {
      this._live.observe(seen);
    }
    this._setPace();
  }

  /** The server has not answered. */
  failed(): void {
    this._live.distrust();
    this._setPace();
  }

  dispose(): void {
    this._poll.dispose();
    this._live.dispose();
  }

  private _catchUp(): void {
    if (this._isLooking) {
      // The answer names the environment that is to be leased.
      void this.refresh().then(() => this._live.renew());
    } else if (!this._isHidden && this._isWanted) {
      void this.refresh();
    }
  }

  /** An event has told of a list; ask for it, unless it is known or unwanted. */
  private _onTold(_: LiveUpdates, told: IRevision): void {
    const { environment, isFollowing, revision } = this._options;
    const isNeeded = (): boolean =>
      !this._isHidden &&
      (this._isActive && told.environment === environment()
        ? told.revision !== revision()
        : isFollowing(told.environment));
    void this._poll.refresh(isNeeded);
  }

  private _onLiveChanged(): void {
    this._setPace();
    if (!this._live.isWorking && this._isLooking) {
      // What was scheduled is far away.
      void this._poll.restart();
    }
  }

  private _setPace(): void {
    const asking = this._options.isMoving() ? HURRIED : STEADY;
    this._poll.interval = this._live.isWorking ? RELAXED : asking;
  }

  private get _isLooking(): boolean {
    return this._isActive && !this._isHidden;
  }

  private get _isWanted(): boolean {
    return this._isActive || this._isAsked || this._options.isFollowing();
  }

  private readonly _options: Attention.IOptions;
  private readonly _poll: DeploymentsPoll;
  private readonly _live: LiveUpdates;
  private _isActive = false;
  private _isHidden = false;
  private _isAsked = false;
}

export namespace Attention {
  export interface IOptions extends Pick<
    LiveUpdates.IOptions,
    'connection' | 'events' | 'lease'
  > {
    /** Ask the server once; rejects when that failed. */
    fetch: () => Promise<void>;
    /** Id of the environment that shows; null when it is not known yet. */
    environment: () => string | null;
    /** Revision of the list that shows. */
    revision: () => string | null;
    /** Whether jobs are followed: there, or anywhere. */
    isFollowing: (environment?: string) => boolean;
    /** Whether something is on its way to another state. */
    isMoving: () => boolean;
  }
}
