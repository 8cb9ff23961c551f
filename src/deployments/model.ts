import type { IConnectionStatus } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { DeployRequest, EnvironmentInfo, Job, JobKind } from '../api/wire';
import type { IEdiClient } from '../api/client';
import { EdiError } from '../api/errors';
import { Environments } from './environments';
import { FollowedJobs } from './jobs';
import { PendingActions } from './pending';
import { DeploymentsPoll } from './poll';
import type { IRow } from './rows';
import { isInTransition, keepEqual, toRows } from './rows';
import type { View } from './view';
import { snapshotOf } from './view';

/**
 * The deployments of the chosen environment and everything that is being done
 * to them. Knows no widget, no dialog and no language.
 */
export class DeploymentsModel implements IDisposable {
  constructor(options: DeploymentsModel.IOptions) {
    this._client = options.client;
    this._environments = new Environments(options.client);
    this._poll = new DeploymentsPoll({
      fetch: () => this._fetch(),
      isWanted: () => this._isActive || this._isAsked || !this._jobs.isEmpty,
      connection: options.connection ?? null
    });
  }

  /** Emitted when anything that this object shows has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted with a running job that is new or has moved on. */
  get jobAdvanced(): ISignal<this, Job> {
    return this._jobAdvanced;
  }

  /** Emitted once when a job that was seen running has ended. */
  get jobEnded(): ISignal<this, Job> {
    return this._jobEnded;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get client(): IEdiClient {
    return this._client;
  }

  get view(): View {
    return this._view;
  }

  /** The environments, Local first; empty until the server has named them. */
  get environments(): readonly EnvironmentInfo[] {
    return this._environments.all;
  }

  /** The environment that is shown; null until the server has named them. */
  get environment(): EnvironmentInfo | null {
    return this._environments.current;
  }

  /** Show another environment. */
  setEnvironment(id: string): void {
    if (id === this.environment?.id) {
      return;
    }
    this._environments.want(id);
    this._selected = null;
    this._view = { kind: 'loading' };
    this._emitChanged();
    void this.refresh();
  }

  /** Whether somebody looks at the list; only then is it kept up to date. */
  get isActive(): boolean {
    return this._isActive;
  }
  set isActive(value: boolean) {
    if (value !== this._isActive) {
      this._isActive = value;
      if (value) {
        void this.refresh();
      }
    }
  }

  /** Name of the row that commands without arguments are about. */
  get selected(): string | null {
    return this._selected;
  }
  set selected(name: string | null) {
    if (name !== this._selected) {
      this._selected = name;
      this._changed.emit();
    }
  }

  /** The lines of the list, sorted by name. */
  get rows(): readonly IRow[] {
    if (this._rows === null) {
      this._rows = this._lastRows = this._computeRows();
    }
    return this._rows;
  }

  /** The row of a name, or null. */
  row(name: string | null | undefined): IRow | null {
    return this.rows.find(row => row.name === name) ?? null;
  }

  /**
   * Learn the environments, for who needs them while nobody looks at the list;
   * the list follows.
   *
   * @throws EdiError - when the server cannot be asked.
   */
  async load(): Promise<void> {
    await this._environments.load();
    this._emitChanged();
    this._isAsked = true;
    void this.refresh();
  }

  /** Bring the list up to date; calls at the same time share one request. */
  refresh(): Promise<void> {
    return this._poll.refresh();
  }

  /**
   * Deploy a submission.
   *
   * @param name - The name that it will probably have, for the row that shows
   * until the server has answered.
   * @throws EdiError - when the server refuses the job.
   */
  deploy(environment: string, body: DeployRequest, name: string): Promise<Job> {
    return this._act(environment, name, 'deploy', () =>
      this._client.deploy(environment, body)
    );
  }

  /**
   * Start, stop or undeploy a deployment.
   *
   * @throws EdiError - when the server refuses the job.
   */
  act(
    kind: 'start' | 'stop' | 'undeploy',
    environment: string,
    name: string
  ): Promise<Job> {
    return this._act(environment, name, kind, () =>
      this._client[kind](environment, name)
    );
  }

  /**
   * Ask a job to cancel.
   *
   * @throws EdiError - when the server cannot be asked.
   */
  async cancel(id: string): Promise<void> {
    this._take(await this._client.cancel(id));
    void this.refresh();
  }

  /** No longer show the failed deploy job. */
  dismiss(id: string): void {
    this._dismissed.add(id);
    this._emitChanged();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._poll.dispose();
    Signal.clearData(this);
  }

  private async _act(
    environment: string,
    name: string,
    kind: JobKind,
    ask: () => Promise<Job>
  ): Promise<Job> {
    this._pending.add(environment, name, kind);
    this._emitChanged();
    try {
      const job = await ask();
      this._take(job);
      return job;
    } finally {
      this._pending.remove(environment, name);
      this._emitChanged();
      void this.refresh();
    }
  }

  /** Take a job from the answer to an action into account. */
  private _take(job: Job): void {
    if (job.state === 'running') {
      this._jobs.follow(job, this._requests);
      this._emitChanged();
      this._jobAdvanced.emit(job);
    }
  }

  /** Ask the server once. The only place that sends the poll's requests. */
  private async _fetch(): Promise<void> {
    const request = ++this._requests;
    try {
      await this._environments.load();
      if (this._isActive || this._isAsked) {
        this._isAsked = false;
        await this._fetchList(request);
      } else {
        const { jobs } = await this._client.jobs();
        this._observe(jobs, request, () => true);
        this._emitChanged();
      }
    } catch (reason) {
      this._fail(EdiError.from(reason));
      throw reason;
    } finally {
      this._poll.hurry = this._isInTransition;
    }
  }

  private async _fetchList(request: number): Promise<void> {
    const id = this.environment?.id;
    if (id === undefined) {
      throw new EdiError({
        code: 'bad_answer',
        message: 'The Jupyter server names no environment.'
      });
    }
    const list = await this._client.list(id);
    let jobs = list.jobs;
    let covers = (job: Job): boolean => job.environment === id;
    if (this._jobs.running.some(job => !covers(job))) {
      jobs = (await this._client.jobs()).jobs;
      covers = () => true;
    }
    if (this._isDisposed) {
      return;
    }
    if (id === this.environment?.id) {
      const before = snapshotOf(this._view)?.list;
      const snapshot = { list, received: Date.now() };
      const isNews =
        this._view.kind !== 'ready' || before?.revision !== list.revision;
      this._view = list.error
        ? {
            kind: 'error',
            error: EdiError.fromInfo(list.error),
            stale: snapshot
          }
        : { kind: 'ready', snapshot };
      if (isNews) {
        this._emitChanged();
      }
    }
    this._observe(jobs, request, covers);
  }

  private _observe(
    jobs: readonly Job[],
    request: number,
    covers: (job: Job) => boolean
  ): void {
    const ended = this._jobs.observe(jobs, request, covers);
    for (const job of this._jobs.running) {
      this._jobAdvanced.emit(job);
    }
    if (ended.length > 0) {
      this._emitChanged();
    }
    for (const job of ended) {
      this._jobEnded.emit(job);
    }
  }

  private _fail(error: EdiError): void {
    if (this._isDisposed) {
      return;
    }
    this._environments.expire();
    this._view = { kind: 'error', error, stale: snapshotOf(this._view) };
    this._emitChanged();
  }

  private get _isInTransition(): boolean {
    return (
      !this._jobs.isEmpty ||
      !this._pending.isEmpty ||
      snapshotOf(this._view)?.list.engine === 'starting' ||
      this.rows.some(isInTransition)
    );
  }

  private _computeRows(): IRow[] {
    const environment = this.environment?.id;
    if (environment === undefined) {
      return [];
    }
    const list = snapshotOf(this._view)?.list;
    // A job of an action that was just answered is newer than the list.
    const jobs = new Map((list?.jobs ?? []).map(job => [job.id, job]));
    for (const job of this._jobs.running) {
      jobs.set(job.id, job);
    }
    const rows = toRows({
      environment,
      deployments: list?.deployments ?? [],
      jobs: [...jobs.values()],
      pending: this._pending.in(environment),
      dismissed: this._dismissed
    });
    return keepEqual(this._lastRows, rows);
  }

  private _emitChanged(): void {
    this._rows = null;
    this._changed.emit();
  }

  private readonly _client: IEdiClient;
  private readonly _poll: DeploymentsPoll;
  private readonly _jobs = new FollowedJobs();
  private readonly _environments: Environments;
  private readonly _pending = new PendingActions();
  private readonly _dismissed = new Set<string>();
  private readonly _changed = new Signal<this, void>(this);
  private readonly _jobAdvanced = new Signal<this, Job>(this);
  private readonly _jobEnded = new Signal<this, Job>(this);
  private _rows: readonly IRow[] | null = null;
  private _lastRows: readonly IRow[] = [];
  private _view: View = { kind: 'loading' };
  private _selected: string | null = null;
  private _requests = 0;
  private _isActive = false;
  /** Whether one answer is wanted although nobody looks. */
  private _isAsked = false;
  private _isDisposed = false;
}

export namespace DeploymentsModel {
  export interface IOptions {
    client: IEdiClient;
    /** Whether the Jupyter server can be reached; without it, assume so. */
    connection?: IConnectionStatus | null;
  }
}
