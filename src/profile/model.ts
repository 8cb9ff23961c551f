import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { FieldProblem, Job, ProfileDiff, ProfileView } from '../api/wire';
import { EdiError } from '../api/errors';
import type { DeploymentsModel } from '../deployments/model';
import type { IRow } from '../deployments/rows';
import type { ProfileDrafts } from './drafts';
import type { Entry, Faults } from './entries';
import { fieldsOf } from './fields';
import { ProfileSheet } from './sheet';

/** What there is to show. */
export type ProfileLook =
  | { readonly kind: 'loading' }
  | { readonly kind: 'error'; readonly error: EdiError }
  | {
      readonly kind: 'ready';
      readonly view: ProfileView;
      readonly sheet: ProfileSheet;
    };

/** What the person is told above the form. */
export type ProfileNotice =
  /** Saved, and in effect if it was restarted. */
  | { readonly kind: 'saved'; readonly isRunning: boolean }
  /** Saved, but the deployment does not run with it. */
  | { readonly kind: 'not-running'; readonly error: EdiError }
  | { readonly kind: 'failed'; readonly error: EdiError }
  /** The edits wait here until the deployment is stopped. */
  | { readonly kind: 'kept' }
  /** Somebody else has saved meanwhile; the edits are on top of that. */
  | { readonly kind: 'moved' };

/** What the model is doing that the form has to wait for. */
export type ProfileWork = 'none' | 'comparing' | 'saving';

/** One profile that is being edited. Knows no widget and no dialog. */
export class ProfileModel implements IDisposable {
  constructor(options: ProfileModel.IOptions) {
    this._options = options;
    const { deployments } = options;
    deployments.changed.connect(this._onDeployments, this);
    deployments.jobEnded.connect(this._onJobEnded, this);
  }

  /** Emitted when anything that this object shows has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get environment(): string {
    return this._options.environment;
  }

  get name(): string {
    return this._options.name;
  }

  get look(): ProfileLook {
    return this._look;
  }

  get notice(): ProfileNotice | null {
    return this._notice;
  }

  get work(): ProfileWork {
    return this._work;
  }

  /** The deployment as the list shows it, if the list is about its environment. */
  get row(): IRow | null {
    const { deployments, environment, name } = this._options;
    return deployments.environment?.id === environment
      ? deployments.row(name)
      : null;
  }

  /** The name of the environment for people. */
  get environmentTitle(): string {
    const { deployments, environment } = this._options;
    const known = deployments.environments.find(({ id }) => id === environment);
    return known?.title ?? environment;
  }

  /** Whether there are edits that are not saved. */
  get isEdited(): boolean {
    return this._look.kind === 'ready' && this._look.sheet.isEdited;
  }

  /** What is wrong, by path; only of fields that the person has finished with. */
  get faults(): Faults {
    const shown = [...this._allFaults()].filter(
      ([path]) =>
        this._isReviewed ||
        [...this._settled].some(
          field => path === field || path.startsWith(`${field}.`)
        )
    );
    return new Map([...shown, ...this._problems]);
  }

  /** Whether the person has tried to save what has faults. */
  get needsAttention(): boolean {
    return this._isReviewed && this.faults.size > 0;
  }

  /** Grows with each try to save that has found faults. */
  get attempts(): number {
    return this._attempts;
  }

  /** Read the saved profile; the edits stay on top of it. */
  async load(): Promise<void> {
    const { deployments, drafts, environment, name } = this._options;
    const number = ++this._loads;
    try {
      const [view, draft] = await Promise.all([
        deployments.client.profile(environment, name),
        this._look.kind === 'ready' ? null : drafts.get(environment, name)
      ]);
      if (number === this._loads && !this._isDisposed) {
        this._take(view, draft);
      }
    } catch (reason) {
      const error = EdiError.from(reason);
      // A form that is shown stays, with its edits, unless there is nothing left to edit.
      const isOver = this._look.kind !== 'ready' || error.status === 404;
      if (number === this._loads && isOver) {
        this._look = { kind: 'error', error };
        this._emit();
      }
    }
  }

  /** Start again after an error. */
  retry(): Promise<void> {
    this._look = { kind: 'loading' };
    this._emit();
    return this.load();
  }

  /** Take what a person has entered. */
  edit(path: string, entry: Entry): void {
    if (this._look.kind === 'ready') {
      this._forgetProblems(path);
      this._notice = null;
      this._setSheet(this._look.sheet.with(path, entry));
    }
  }

  /** The person has finished with a field. */
  settle(path: string): void {
    if (this._look.kind === 'ready' && path in this._look.sheet.edits) {
      this._settled.add(path);
      this._setSheet(this._look.sheet.settle(path));
    }
  }

  /** Forget all edits. */
  discard(): void {
    if (this._look.kind === 'ready') {
      const { document, fields } = this._look.sheet;
      this._forgetFaults();
      this._notice = null;
      this._setSheet(new ProfileSheet(document, fields));
    }
  }

  /**
   * What saving would change; null when there are faults, which show then.
   *
   * @throws EdiError - when the server cannot be asked.
   */
  async review(): Promise<ProfileDiff | null> {
    const { deployments, environment, name } = this._options;
    if (this._look.kind !== 'ready' || this._work !== 'none') {
      return null;
    }
    for (const path of Object.keys(this._look.sheet.edits)) {
      this._look = { ...this._look, sheet: this._look.sheet.settle(path) };
    }
    this._problems.clear();
    this._isReviewed = true;
    if (this.faults.size > 0) {
      this._attempts += 1;
      this._emit();
      return null;
    }
    this._setWork('comparing');
    try {
      // It may have been started, stopped or changed since the form was opened.
      await this.load();
      const profile = this._look.sheet.toDocument();
      const diff = await deployments.client.diffProfile(
        environment,
        name,
        profile
      );
      if (diff.problems.length > 0) {
        this._takeProblems(diff.problems);
        return null;
      }
      return diff;
    } finally {
      this._setWork('none');
    }
  }

  /** Save the edits; how that ends shows as a notice or as faults. */
  async save(restart: boolean): Promise<void> {
    const { deployments, environment, name } = this._options;
    if (this._look.kind !== 'ready') {
      return;
    }
    const { sheet, view } = this._look;
    this._notice = null;
    this._setWork('saving');
    try {
      const job = await deployments.saveProfile(environment, name, {
        profile: sheet.toDocument(),
        restart,
        revision: view.revision
      });
      this._job = job.id;
      if (job.state !== 'running') {
        this._onJobEnded(deployments, job);
      }
    } catch (reason) {
      await this._refused(EdiError.from(reason));
      this._setWork('none');
    }
  }

  /** Leave the edits as they are until the deployment is stopped. */
  keep(): void {
    this._notice = { kind: 'kept' };
    this._emit();
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  private async _refused(error: EdiError): Promise<void> {
    if (error.code === 'changed_since_read') {
      await this.load();
      this._notice = { kind: 'moved' };
    } else if (error.fields !== null && error.fields.length > 0) {
      this._takeProblems(error.fields);
    } else {
      await this.load();
      this._notice = { kind: 'failed', error };
    }
  }

  private _take(
    view: ProfileView,
    draft: Readonly<Record<string, unknown>> | null
  ): void {
    const before = this._look;
    if (before.kind === 'ready' && before.view.started !== view.started) {
      // "At the next start" is over, or begins anew.
      this._notice = this._notice?.kind === 'saved' ? null : this._notice;
    }
    const edits = before.kind === 'ready' ? before.sheet.edits : (draft ?? {});
    const sheet = new ProfileSheet(view.profile, fieldsOf(view), edits);
    if (
      before.kind === 'ready' &&
      before.view.revision !== view.revision &&
      this._work !== 'saving' &&
      sheet.isEdited
    ) {
      this._notice = { kind: 'moved' };
    }
    this._look = { kind: 'ready', view, sheet };
    this._keep(sheet);
    this._emit();
  }

  private _takeProblems(problems: readonly FieldProblem[]): void {
    this._problems = new Map(
      problems.map(({ field, message }) => [field, message])
    );
    this._isReviewed = true;
    this._attempts += 1;
    this._emit();
  }

  private _onDeployments(): void {
    const { row } = this;
    if (this._look.kind === 'ready' && row?.deployment && row.job === null) {
      const isStarted = !['stopped', 'stopping'].includes(row.deployment.state);
      // Each change of the row is asked about once, whatever the answer.
      if (isStarted !== this._wasStarted) {
        this._wasStarted = isStarted;
        if (isStarted !== this._look.view.started) {
          void this.load();
        }
      }
    }
    this._emit();
  }

  private _onJobEnded(_: DeploymentsModel, job: Job): void {
    const { environment, name } = this._options;
    if (job.id === this._job) {
      this._job = null;
      void this._finish(job);
    } else if (job.environment === environment && job.deployment === name) {
      void this.load();
    }
  }

  /** What was saved is no longer an edit, so the form is clean after this. */
  private async _finish(job: Job): Promise<void> {
    this._forgetFaults();
    await this.load();
    const isSaved = !this.isEdited;
    if (job.state === 'done') {
      const isRunning = this._look.kind === 'ready' && this._look.view.started;
      this._notice = { kind: 'saved', isRunning };
    } else {
      const error =
        job.error === null
          ? new EdiError({ code: 'error', message: job.message })
          : EdiError.fromInfo(job.error);
      this._notice = { kind: isSaved ? 'not-running' : 'failed', error };
    }
    this._setWork('none');
  }

  private _allFaults(): Faults {
    return this._look.kind === 'ready'
      ? this._look.sheet.faults(this._options.trans)
      : new Map<string, string>();
  }

  private _forgetProblems(path: string): void {
    for (const problem of [...this._problems.keys()]) {
      if (problem === path || problem.startsWith(`${path}.`)) {
        this._problems.delete(problem);
      }
    }
  }

  private _forgetFaults(): void {
    this._problems.clear();
    this._settled.clear();
    this._isReviewed = false;
  }

  private _setSheet(sheet: ProfileSheet): void {
    if (this._look.kind === 'ready') {
      this._look = { ...this._look, sheet };
      this._keep(sheet);
      this._emit();
    }
  }

  private _keep(sheet: ProfileSheet): void {
    const { drafts, environment, name } = this._options;
    void drafts.set(environment, name, sheet.edits);
  }

  private _setWork(work: ProfileWork): void {
    this._work = work;
    this._emit();
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private readonly _options: ProfileModel.IOptions;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _settled = new Set<string>();
  private _look: ProfileLook = { kind: 'loading' };
  private _notice: ProfileNotice | null = null;
  private _work: ProfileWork = 'none';
  /** What the server has said about fields, by path. */
  private _problems = new Map<string, string>();
  private _job: string | null = null;
  private _wasStarted: boolean | null = null;
  private _isReviewed = false;
  private _attempts = 0;
  private _loads = 0;
  private _isDisposed = false;
}

export namespace ProfileModel {
  export interface IOptions {
    deployments: DeploymentsModel;
    drafts: ProfileDrafts;
    environment: string;
    name: string;
    trans: TranslationBundle;
  }
}
