import type { IConnectionStatus } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type {
  DeploymentList,
  DeployRequest,
  EnvironmentInfo,
  Job,
  JobKind,
  ProfileRequest,
  ServerExtension
} from '../api/wire';
import type { IEdiClient } from '../api/client';
import { EdiError } from '../api/errors';
import { Attention } from './attention';
import { Environments } from './environments';
import { FollowedJobs } from './jobs';
import type { LiveUpdates } from './live';
import { PendingActions } from './pending';
import { readList, viewOf } from './reading';
import { RowList } from './rowList';
import type { IRow, IRowSources } from './rows';
import { isInTransition } from './actions';
import type { View } from './view';
import { snapshotOf } from './view';

/**
 * The deployments of the chosen environment and everything that is being done
 * to them. Knows no widget, no dialog and no language.
 */
export class DeploymentsModel implements IDisposable {
  constructor(options: DeploymentsModel.IOptions) {
    this.client = options.client;
    this.known = new Environments(options.client);
    this._attention = new Attention({
      fetch: () => this._fetch(),
      connection: options.connection ?? null,
      events: options.events ?? null,
      lease: (environment, tab) => this.client.lease(environment, tab),
      environment: () => this.environment?.id ?? null,
      revision: () => this._list?.revision ?? null,
      isFollowing: environment => this._isFollowing(environment),
      isMoving: () => this._isMoving
    });
    this._rows = new RowList(() => this._rowSources);
  }

  readonly client: IEdiClient;
  /** The environments, and what is known of them beside their list. */
  readonly known: Environments;

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

  get view(): View {
    return this._view;
  }

  /** The environments, Local first; empty until the server has named them. */
  get environments(): readonly EnvironmentInfo[] {
    return this.known.all;
  }

  /** The environment that is shown; null until the server has named them. */
  get environment(): EnvironmentInfo | null {
    return this.known.current;
  }

  /** Versions of the server half; null until it has named them. */
  get server(): ServerExtension | null {
    return this.known.server;
  }

  /** Show another environment, or the same anew once it has changed. */
  setEnvironment(id: string, hasChanged = false): void {
    if (id === this.environment?.id && !hasChanged) {
      return;
    }
    this.known.want(id);
    this._selected = null;
    this._view = { kind: 'loading' };
    this._emitChanged();
    this._attention.turn();
  }

  /** Whether somebody looks at the list; only then is it kept up to date. */
  get isActive(): boolean {
    return this._attention.isActive;
  }
  set isActive(value: boolean) {
    this._attention.isActive = value;
  }

  /** Whether nobody can see the page, so that it sends no request at all. */
  get isHidden(): boolean {
    return this._attention.isHidden;
  }
  set isHidden(value: boolean) {
    this._attention.isHidden = value;
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
    return this._rows.all;
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
    await this.known.load();
    this._emitChanged();
    this._attention.askOnce();
  }

  /** Ask again what the server half is and which environments it can reach. */
  learn(): Promise<void> {
    this.known.expire();
    return this.refresh();
  }

  /** Bring the list up to date; calls at the same time share one request. */
  refresh(): Promise<void> {
    return this._attention.refresh();
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
      this.client.deploy(environment, body)
    );
  }

  /**
   * Start, stop, restart or undeploy a deployment.
   *
   * @throws EdiError - when the server refuses the job.
   */
  act(
    kind: 'start' | 'stop' | 'restart' | 'undeploy',
    environment: string,
    name: string
  ): Promise<Job> {
    return this._act(environment, name, kind, () =>
      this.client[kind](environment, name)
    );
  }

  /**
   * Save another profile, and restart the deployment with it if asked.
   *
   * @throws EdiError - when the server refuses the profile or the job.
   */
  saveProfile(
    environment: string,
    name: string,
    body: ProfileRequest
  ): Promise<Job> {
    return this._act(environment, name, 'profile', () =>
      this.client.saveProfile(environment, name, body)
    );
  }

  /**
   * Ask a job to cancel.
   *
   * @throws EdiError - when the server cannot be asked.
   */
  async cancel(id: string): Promise<void> {
    this._take(await this.client.cancel(id));
    void this.refresh();
  }

  /** No longer show the failed deploy job. */
  dismiss(id: string): void {
    this._rows.dismiss(id);
    this._emitChanged();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._attention.dispose();
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
      if (await this.known.load()) {
        this._emitChanged();
      }
      if (this._attention.takeWish()) {
        await this._fetchList(request);
      } else {
        const { jobs } = await this.client.jobs();
        this._observe(jobs, request, () => true);
        this._emitChanged();
        this._attention.answered(null);
      }
    } catch (reason) {
      this._fail(EdiError.from(reason));
      throw reason;
    }
  }

  private async _fetchList(request: number): Promise<void> {
    const id = this.environment?.id;
    const { running } = this._jobs;
    const { list, jobs, covers } = await readList(this.client, id, running);
    if (this._isDisposed) {
      return;
    }
    const { environment, revision } = list;
    if (id === this.environment?.id) {
      const isNews =
        this._view.kind !== 'ready' || this._list?.revision !== revision;
      this._view = viewOf(list);
      if (isNews) {
        this._emitChanged();
      }
    }
    this._observe(jobs, request, covers);
    this._attention.answered({ environment, revision });
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
    this.known.expire();
    this._view = { kind: 'error', error, stale: snapshotOf(this._view) };
    this._emitChanged();
    this._attention.failed();
  }

  private get _list(): DeploymentList | null {
    return snapshotOf(this._view)?.list ?? null;
  }

  private _isFollowing(environment?: string): boolean {
    return this._jobs.running.some(
      job => environment === undefined || job.environment === environment
    );
  }

  private get _isMoving(): boolean {
    return (
      !this._jobs.isEmpty ||
      !this._pending.isEmpty ||
      this._list?.engine === 'starting' ||
      this.rows.some(isInTransition)
    );
  }

  private get _rowSources(): Omit<IRowSources, 'dismissed'> | null {
    const environment = this.environment?.id;
    if (environment === undefined) {
      return null;
    }
    // A job of an action that was just answered is newer than the list.
    const jobs = new Map((this._list?.jobs ?? []).map(job => [job.id, job]));
    for (const job of this._jobs.running) {
      jobs.set(job.id, job);
    }
    return {
      environment,
      deployments: this._list?.deployments ?? [],
      jobs: [...jobs.values()],
      pending: this._pending.in(environment)
    };
  }

  private _emitChanged(): void {
    this._rows.outdate();
    this._changed.emit();
  }

  private readonly _attention: Attention;
  private readonly _rows: RowList;
  private readonly _jobs = new FollowedJobs();
  private readonly _pending = new PendingActions();
  private readonly _changed = new Signal<this, void>(this);
  private readonly _jobAdvanced = new Signal<this, Job>(this);
  private readonly _jobEnded = new Signal<this, Job>(this);
  private _view: View = { kind: 'loading' };
  private _selected: string | null = null;
  private _requests = 0;
  private _isDisposed = false;
}

export namespace DeploymentsModel {
  export interface IOptions {
    client: IEdiClient;
    /** Whether the Jupyter server can be reached; without it, assume so. */
    connection?: IConnectionStatus | null;
    /** The Jupyter server's events; without them, changes are found by asking. */
    events?: LiveUpdates.IOptions['events'];
  }
}
