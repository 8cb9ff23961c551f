import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { FieldProblem, Job, ProfileDiff, ProfileView } from '../api/wire';
import { EdiError } from '../api/errors';
import type { DeploymentsModel } from '../deployments/model';
import type { IRow } from '../deployments/rows';
import type { ProfileDrafts } from './drafts';
import { type Entry, entryOf, type Faults } from './entries';
import { FaultDisplay } from './faultDisplay';
import { fieldsOf } from './fields';
import {
  editedDocument,
  type ProfileLook,
  type ProfileNotice,
  type ProfileWork
} from './look';
import { ProfileSheet } from './sheet';
import { ProfileSubject } from './subject';

/** One profile that is being edited. Knows no widget and no dialog. */
export class ProfileModel implements IDisposable {
  constructor(options: ProfileModel.IOptions) {
    this._options = options;
    const { deployments, environment, name } = options;
    this._subject = new ProfileSubject(deployments, environment, name);
    this._subject.changed.connect(this._onSubject, this);
    this._subject.jobEnded.connect(this._onJobEnded, this);
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
    return this._subject.row;
  }

  /** The name of the environment for people. */
  get environmentTitle(): string {
    return this._subject.environmentTitle;
  }

  /** Whether there are edits that are not saved. */
  get isEdited(): boolean {
    return this._look.kind === 'ready' && this._look.sheet.isEdited;
  }

  /** Whether there is something to save, or to restart the deployment with. */
  get isSavable(): boolean {
    if (this._look.kind !== 'ready') {
      return false;
    }
    const { next, started } = this._look.view;
    return this.isEdited || (started && next !== null && !next.outdated);
  }

  /** What is wrong, by path; only of fields that the person has finished with. */
  get faults(): Faults {
    return this._display.shown(
      this._look.kind === 'ready'
        ? this._look.sheet.faults(this._options.trans)
        : new Map<string, string>()
    );
  }

  /** Whether the person has tried to save what has faults. */
  get needsAttention(): boolean {
    return this._display.isReviewed && this.faults.size > 0;
  }

  /** Grows with each try to save that has found faults. */
  get attempts(): number {
    return this._display.attempts;
  }

  /** Read the saved profile; the edits stay on top of it. */
  async load(): Promise<void> {
    const { drafts, environment, name } = this._options;
    const number = ++this._loads;
    try {
      const [view, draft] = await Promise.all([
        this._subject.read(),
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
      this._display.forget(path);
      this._notice = null;
      this._setSheet(this._look.sheet.with(path, entry));
    }
  }

  /** The person has finished with a field. */
  settle(path: string): void {
    if (this._look.kind === 'ready' && path in this._look.sheet.edits) {
      this._display.settle(path);
      this._setSheet(this._look.sheet.settle(path));
    }
  }

  /** Forget all edits. */
  discard(): void {
    if (this._look.kind === 'ready') {
      const { document, fields } = this._look.sheet;
      this._display.clear();
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
    if (this._look.kind !== 'ready' || this._work !== 'none') {
      return null;
    }
    for (const path of Object.keys(this._look.sheet.edits)) {
      this._look = { ...this._look, sheet: this._look.sheet.settle(path) };
    }
    this._display.review();
    if (this.faults.size > 0) {
      this._display.fail();
      this._emit();
      return null;
    }
    this._setWork('comparing');
    try {
      // It may have been started, stopped or changed since the form was opened.
      await this.load();
      const diff = await this._subject.diff(this._look.sheet.toDocument());
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
    if (this._look.kind !== 'ready') {
      return;
    }
    const { sheet, view } = this._look;
    this._notice = null;
    this._setWork('saving');
    try {
      const document = sheet.toDocument();
      const job = await this._subject.save(document, view.revision, restart);
      this._job = job.id;
      if (job.state !== 'running') {
        this._onJobEnded(this._subject, job);
      }
    } catch (reason) {
      await this._refused(EdiError.from(reason));
      this._setWork('none');
    }
  }

  /** Keep the document on the Jupyter server until the next start. */
  async saveForNextStart(): Promise<void> {
    if (this._look.kind !== 'ready') {
      return;
    }
    const { sheet, view } = this._look;
    this._notice = null;
    this._setWork('saving');
    try {
      const document = sheet.toDocument();
      const kept = await this._subject.saveNext(document, view.revision);
      this._display.clear();
      this._take(kept, null);
      this._notice = kept.next === null ? null : { kind: 'waiting' };
    } catch (reason) {
      await this._refused(EdiError.from(reason));
    } finally {
      this._setWork('none');
    }
  }

  /**
   * Forget what waits for the next start.
   *
   * @throws EdiError - when the server cannot be asked.
   */
  async discardNext(): Promise<void> {
    this._take(await this._subject.discardNext(), null);
  }

  /** Put what waits on top of what somebody else has saved meanwhile, as edits. */
  adoptNext(): void {
    if (this._look.kind === 'ready' && this._look.view.next !== null) {
      const { sheet, view } = this._look;
      const { profile } = this._look.view.next;
      const edits = Object.fromEntries(
        sheet.fields.map(field => [field.path, entryOf(field, profile)])
      );
      this._setSheet(new ProfileSheet(view.profile, sheet.fields, edits));
    }
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._subject.dispose();
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
    const sheet = new ProfileSheet(editedDocument(view), fieldsOf(view), edits);
    const wasGivenToEdi = before.kind === 'ready' && before.view.next !== null;
    if (
      before.kind === 'ready' &&
      before.view.revision !== view.revision &&
      !wasGivenToEdi &&
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
    this._display.take(problems);
    this._emit();
  }

  private _onSubject(): void {
    if (
      this._look.kind === 'ready' &&
      this._subject.differsFrom(this._look.view)
    ) {
      void this.load();
    }
    this._emit();
  }

  private _onJobEnded(_: ProfileSubject, job: Job): void {
    if (job.id === this._job) {
      this._job = null;
      void this._finish(job);
    } else {
      void this.load();
    }
  }

  /** What was saved is no longer an edit, so the form is clean after this. */
  private async _finish(job: Job): Promise<void> {
    this._display.clear();
    await this.load();
    const waits = this._look.kind === 'ready' && this._look.view.next !== null;
    const isSaved = !this.isEdited && !waits;
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
  private readonly _subject: ProfileSubject;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _display = new FaultDisplay();
  private _look: ProfileLook = { kind: 'loading' };
  private _notice: ProfileNotice | null = null;
  private _work: ProfileWork = 'none';
  private _job: string | null = null;
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
