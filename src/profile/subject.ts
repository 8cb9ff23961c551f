import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { Job, ProfileDiff, ProfileView } from '../api/wire';
import type { DeploymentsModel } from '../deployments/model';
import type { IRow } from '../deployments/rows';
import type { ProfileDocument } from './document';

/** The deployment that a profile is of: what is known of it, and its routes. */
export class ProfileSubject implements IDisposable {
  constructor(
    deployments: DeploymentsModel,
    readonly environment: string,
    readonly name: string
  ) {
    this._deployments = deployments;
    deployments.changed.connect(this._onDeployments, this);
    deployments.jobEnded.connect(this._onJobEnded, this);
  }

  /** Emitted when the list says something, about whatever deployment. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when a job of the deployment has ended. */
  get jobEnded(): ISignal<this, Job> {
    return this._jobEnded;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** The deployment as the list shows it, if the list is about its environment. */
  get row(): IRow | null {
    return this._deployments.environment?.id === this.environment
      ? this._deployments.row(this.name)
      : null;
  }

  /** The name of the environment for people. */
  get environmentTitle(): string {
    const { environments } = this._deployments;
    const known = environments.find(({ id }) => id === this.environment);
    return known?.title ?? this.environment;
  }

  /**
   * Whether the list tells of another state than a view that was read earlier.
   * True once for each such state, whatever a new view says then.
   */
  differsFrom({ next, started }: ProfileView): boolean {
    const { row } = this;
    if (!row?.deployment || row.job !== null) {
      return false;
    }
    const { next_profile, state } = row.deployment;
    const isStarted = !['stopped', 'stopping'].includes(state);
    const news = `${isStarted} ${next_profile}`;
    if (news === this._lastNews) {
      return false;
    }
    this._lastNews = news;
    return news !== `${started} ${next !== null}`;
  }

  /** @throws EdiError - when the server cannot be asked. */
  read(): Promise<ProfileView> {
    return this._deployments.client.profile(this.environment, this.name);
  }

  /** @throws EdiError - when the server cannot be asked. */
  diff(profile: ProfileDocument): Promise<ProfileDiff> {
    const { client } = this._deployments;
    return client.diffProfile(this.environment, this.name, profile);
  }

  /** @throws EdiError - when the profile or the job is refused. */
  save(
    profile: ProfileDocument,
    revision: string,
    restart: boolean
  ): Promise<Job> {
    return this._deployments.saveProfile(this.environment, this.name, {
      profile,
      restart,
      revision
    });
  }

  /** @throws EdiError - when the profile is refused. */
  async saveNext(
    profile: ProfileDocument,
    revision: string
  ): Promise<ProfileView> {
    const { client } = this._deployments;
    const body = { profile, revision };
    try {
      return await client.saveNextProfile(this.environment, this.name, body);
    } finally {
      void this._deployments.refresh();
    }
  }

  /** @throws EdiError - when the server cannot be asked. */
  async discardNext(): Promise<ProfileView> {
    const { client } = this._deployments;
    try {
      return await client.discardNextProfile(this.environment, this.name);
    } finally {
      void this._deployments.refresh();
    }
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  private _onDeployments(): void {
    this._changed.emit();
  }

  private _onJobEnded(_: DeploymentsModel, job: Job): void {
    if (job.environment === this.environment && job.deployment === this.name) {
      this._jobEnded.emit(job);
    }
  }

  private readonly _deployments: DeploymentsModel;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _jobEnded = new Signal<this, Job>(this);
  private _lastNews: string | null = null;
  private _isDisposed = false;
}
