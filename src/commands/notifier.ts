import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import type { Job } from '../api/wire';
import { EdiError } from '../api/errors';
import type { DeploymentsModel } from '../deployments/model';
import { plainText } from '../panel/plainText';
import { errorWords } from '../panel/words';
import { CommandIDs } from '../tokens';

/** How long good news stay, in milliseconds. */
const SHORTLY = 5_000;
/** JupyterLab cuts messages at 140 characters; the dialog has all of it. */
const LONGEST = 130;

/**
 * Shows each deployment that is being made as one notification with progress
 * and Cancel, and tells of every action that failed.
 */
export class JobNotifier implements IDisposable {
  constructor(options: JobNotifier.IOptions) {
    this._options = options;
    options.model.jobAdvanced.connect(this._onAdvanced, this);
    options.model.jobEnded.connect(this._onEnded, this);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  private _onAdvanced(_: DeploymentsModel, job: Job): void {
    this._overtake(job);
    if (job.kind !== 'deploy') {
      return;
    }
    const { trans } = this._options;
    const text = job.cancelling
      ? trans.__('Cancelling the deployment of %1…', job.deployment)
      : trans.__('Deploying %1: %2', job.deployment, plainText(job.message));
    const message = shorten(text);
    const shown = this._shown.get(job.id);
    const key = `${message} ${job.fraction}`;
    if (shown?.key === key) {
      return;
    }
    const options = {
      autoClose: false as const,
      progress: job.fraction ?? undefined,
      actions: job.cancelling
        ? []
        : [
            {
              label: trans.__('Cancel'),
              callback: (event: MouseEvent) => {
                // Stay open: the work takes a moment to end.
                event.preventDefault();
                void this._cancel(job);
              }
            }
          ]
    };
    if (shown === undefined) {
      const id = Notification.emit(message, 'in-progress', options);
      this._shown.set(job.id, { id, key });
    } else {
      shown.key = key;
      // False when the person has closed it; the row goes on showing it.
      Notification.update({ id: shown.id, message, ...options });
    }
  }

  /** What was told of the deployment is over once something else is done to it. */
  private _overtake(job: Job): void {
    const key = keyOf(job);
    const id = this._told.get(key);
    if (id !== undefined) {
      this._told.delete(key);
      Notification.dismiss(id);
    }
  }

  private _onEnded(_: DeploymentsModel, job: Job): void {
    this._overtake(job);
    const id = this._shown.get(job.id)?.id;
    this._shown.delete(job.id);
    switch (job.state) {
      case 'done':
        if (job.kind === 'deploy') {
          this._tell(job, id, ...this._deployed(job));
        }
        break;
      case 'cancelled':
        if (job.kind === 'deploy') {
          this._tell(job, id, 'info', this._cancelledText(job), SHORTLY, []);
        }
        break;
      case 'failed':
        this._tell(job, id, ...this._failed(job));
        break;
    }
  }

  private _deployed(job: Job): Content {
    const { commands, trans } = this._options;
    const { environment, deployment: name } = job;
    // The last phase is that of starting only if it was to be started.
    if (job.phase !== 'start') {
      return ['success', trans.__('%1 is deployed.', name), SHORTLY, []];
    }
    const send = {
      label: trans.__('Send a request'),
      callback: () => {
        void commands.execute(CommandIDs.send, { environment, name });
      }
    };
    return ['success', trans.__('%1 is ready.', name), SHORTLY, [send]];
  }

  private _cancelledText(job: Job): string {
    const { trans } = this._options;
    const said = plainText(job.message);
    return (
      said || trans.__('The deployment of %1 was cancelled.', job.deployment)
    );
  }

  private _failed(job: Job): Content {
    const { trans } = this._options;
    const title = this._failedTitle(job);
    const error =
      job.error === null
        ? new EdiError({ code: 'error', message: job.message })
        : EdiError.fromInfo(job.error);
    const { message } = errorWords(error, trans);
    const show = {
      label: trans.__('Show details'),
      callback: () => {
        void this._explain(title, error);
      }
    };
    if (error.code === 'pending') {
      // Nothing is broken; row and profile go on saying what is missing.
      const pending = trans.__('%1 is pending', job.deployment);
      const text = `${pending}: ${plainText(message)}`;
      return ['warning', text, SHORTLY, [show]];
    }
    return ['error', `${title}: ${plainText(message)}`, false, [show]];
  }

  private _failedTitle(job: Job): string {
    const { trans } = this._options;
    switch (job.kind) {
      case 'deploy':
        return trans.__('%1 was not deployed', job.deployment);
      case 'start':
        return trans.__('%1 did not start', job.deployment);
      case 'stop':
        return trans.__('%1 did not stop', job.deployment);
      case 'restart':
        return trans.__('%1 did not restart', job.deployment);
      case 'profile':
        return job.phase === 'start'
          ? trans.__('%1 does not run with its new profile', job.deployment)
          : trans.__('The profile of %1 was not saved', job.deployment);
      case 'undeploy':
        return trans.__('%1 was not undeployed', job.deployment);
    }
  }

  private _tell(
    job: Job,
    id: string | undefined,
    type: Notification.TypeOptions,
    text: string,
    autoClose: number | false,
    actions: Notification.IAction[]
  ): void {
    const message = shorten(text);
    const options = { autoClose, actions, progress: undefined };
    const isShown =
      id !== undefined &&
      Notification.update({ id, message, type, ...options });
    const told = isShown ? id : Notification.emit(message, type, options);
    this._told.set(keyOf(job), told);
  }

  private async _cancel(job: Job): Promise<void> {
    const { model, trans } = this._options;
    try {
      await model.cancel(job.id);
    } catch (reason) {
      await this._explain(trans.__('Not cancelled'), reason);
    }
  }

  private async _explain(title: string, reason: unknown): Promise<void> {
    const { showEdiError } = await import('./errors');
    await showEdiError(title, reason, this._options.trans);
  }

  private readonly _options: JobNotifier.IOptions;
  private readonly _shown = new Map<string, { id: string; key: string }>();
  /** The notification of how the last action on a deployment has ended. */
  private readonly _told = new Map<string, string>();
  private _isDisposed = false;
}

function keyOf({ environment, deployment }: Job): string {
  return `${environment}/${deployment}`;
}

type Content = [
  type: Notification.TypeOptions,
  text: string,
  autoClose: number | false,
  actions: Notification.IAction[]
];

function shorten(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}

export namespace JobNotifier {
  export interface IOptions {
    model: DeploymentsModel;
    commands: CommandRegistry;
    trans: TranslationBundle;
  }
}
