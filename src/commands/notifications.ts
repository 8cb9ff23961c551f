import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

import type { Job } from '../api/wire';
import type { DeploymentsModel } from '../deployments/model';
import type { JobNotifier } from './notifier';

/**
 * Have the person told of jobs. What it takes is loaded with the first one, and
 * told of everything that happens until it is there.
 */
export function addNotifications(options: JobNotifier.IOptions): IDisposable {
  const { model } = options;
  const missed: Job[] = [];
  let notifier: JobNotifier | null = null;
  let isDisposed = false;

  const note = (_: DeploymentsModel, job: Job): void => {
    missed.push(job);
    if (missed.length === 1) {
      void load();
    }
  };
  const ignore = (): void => {
    model.jobAdvanced.disconnect(note);
    model.jobEnded.disconnect(note);
  };
  const load = async (): Promise<void> => {
    const { JobNotifier } = await import('./notifier');
    if (!isDisposed) {
      ignore();
      notifier = new JobNotifier(options, missed);
    }
  };

  model.jobAdvanced.connect(note);
  model.jobEnded.connect(note);
  return new DisposableDelegate(() => {
    isDisposed = true;
    ignore();
    notifier?.dispose();
  });
}
