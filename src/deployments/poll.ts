import type { IConnectionStatus } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';

/** Milliseconds between requests while something is on its way. */
export const HURRIED = 2_000;
/** Milliseconds between requests while nothing changes. */
export const STEADY = 5_000;
/** Milliseconds between requests while events tell of changes. */
export const RELAXED = 30_000;
/** Longest pause after failures, in milliseconds. */
export const LONGEST = 60_000;

/**
 * The page's one clock for requests: none while nobody wants an answer or the
 * server is out of reach, longer pauses after failures, and never two requests
 * at the same time.
 */
export class DeploymentsPoll implements IDisposable {
  constructor(options: DeploymentsPoll.IOptions) {
    this._fetchOnce = options.fetch;
    this._poll = new Poll({
      auto: true,
      name: 'edi_labext:deployments',
      factory: () => this._fetch(),
      frequency: frequency(STEADY),
      standby: () => {
        if (!options.isWanted() || options.connection?.isConnected === false) {
          return true;
        }
        return 'when-hidden';
      }
    });
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  /** Milliseconds from one request to the next. */
  set interval(interval: number) {
    if (!this.isDisposed && this._poll.frequency.interval !== interval) {
      this._poll.frequency = frequency(interval);
    }
  }

  /**
   * Ask now. A request that is already under way may be too old to show what
   * the caller has just changed, so it is followed by one more; any number of
   * calls meanwhile share that one.
   *
   * @param isNeeded - Asked before a request is sent, whether it still is needed.
   */
  async refresh(isNeeded: () => boolean = () => true): Promise<void> {
    if (this._running !== null) {
      this._wishes.push(isNeeded);
      await this._running.catch(() => undefined);
      return;
    }
    if (!isNeeded()) {
      return;
    }
    await this._poll.refresh();
    await this._poll.tick.catch(() => undefined);
  }

  /** Ask as soon as no request is under way, and then at the present interval. */
  async restart(): Promise<void> {
    await this._running?.catch(() => undefined);
    if (!this.isDisposed) {
      await this._poll.refresh();
    }
  }

  dispose(): void {
    this._poll.dispose();
  }

  private _fetch(): Promise<void> {
    this._running ??= this._fetchUntilCurrent().finally(() => {
      this._running = null;
    });
    return this._running;
  }

  private async _fetchUntilCurrent(): Promise<void> {
    do {
      this._wishes = [];
      await this._fetchOnce();
    } while (this._wishes.some(isNeeded => isNeeded()) && !this.isDisposed);
  }

  private readonly _fetchOnce: () => Promise<void>;
  private readonly _poll: Poll<void>;
  private _running: Promise<void> | null = null;
  /** Of the calls since the request that is under way. */
  private _wishes: (() => boolean)[] = [];
}

function frequency(interval: number) {
  return { backoff: true, interval, max: LONGEST };
}

export namespace DeploymentsPoll {
  export interface IOptions {
    /** Ask the server once; rejects when that failed. */
    fetch: () => Promise<void>;
    /** Whether anybody wants answers. */
    isWanted: () => boolean;
    connection: IConnectionStatus | null;
  }
}
