import type { TranslationBundle } from '@jupyterlab/translation';

import type { EdiError } from '../api/errors';
import { JOB_LOST } from '../deployments/jobs';
import type { IRow, RowState } from '../deployments/rows';

/** The state in one word. */
export function stateWord(state: RowState, trans: TranslationBundle): string {
  switch (state) {
    case 'stopped':
      return trans.__('Stopped');
    case 'starting':
      return trans.__('Starting');
    case 'pending':
      return trans.__('Pending');
    case 'ready':
      return trans.__('Ready');
    case 'failed':
      return trans.__('Failed');
    case 'stopping':
      return trans.__('Stopping');
    case 'deploying':
      return trans.__('Deploying');
    case 'removing':
      return trans.__('Undeploying');
    default:
      return trans.__('Unknown');
  }
}

/** States in which nothing is gained by counting kernels. */
const WITHOUT_KERNELS: ReadonlySet<string> = new Set(['failed', 'pending']);

/** What a row says beside its state, or the empty text. */
export function rowSummary(row: IRow, trans: TranslationBundle): string {
  const { deployment } = row;
  if (deployment === null || deployment.state === 'stopped') {
    return '';
  }
  const parts: string[] = [];
  if (!WITHOUT_KERNELS.has(deployment.state) && deployment.kernels_wanted > 0) {
    parts.push(
      trans._n(
        '%2/%1 kernel',
        '%2/%1 kernels',
        deployment.kernels_wanted,
        deployment.kernels_ready
      )
    );
  }
  if (deployment.pending_tasks > 0) {
    parts.push(trans.__('%1 waiting', deployment.pending_tasks));
  }
  return parts.join(' · ');
}

/** The GPU mode of a deployment that uses one, or the empty text. */
export function gpuWord(
  mode: string | undefined,
  trans: TranslationBundle
): string {
  switch (mode) {
    case 'shared':
      return trans.__('GPU shared');
    case 'exclusive':
      return trans.__('GPU exclusive');
    default:
      return '';
  }
}

/** An error in the words of the person's language, as far as they are ours. */
export interface IErrorWords {
  message: string;
  hint: string | null;
}

/**
 * Whether the Jupyter server itself cannot be used, whatever environment is shown.
 */
export function isOfJupyter({ code }: Pick<EdiError, 'code'>): boolean {
  return ['not_installed', 'unreachable', 'signed_out', 'bad_answer'].includes(
    code
  );
}

/** Translate what the browser found out itself; repeat what the server said. */
export function errorWords(
  error: Pick<EdiError, 'code' | 'message' | 'hint'>,
  trans: TranslationBundle
): IErrorWords {
  switch (error.code) {
    case 'not_installed':
      return {
        message: trans.__('The server part of edi_labext is not enabled.'),
        hint: trans.__('Run this command, then restart the Jupyter server:')
      };
    case 'unreachable':
      return {
        message: trans.__('The Jupyter server does not answer.'),
        hint: trans.__('Check that it is still running and reachable.')
      };
    case 'signed_out':
      return {
        message: trans.__('You are signed out of the Jupyter server.'),
        hint: trans.__('Reload the page to sign in again.')
      };
    case 'bad_answer':
      return {
        message: trans.__(
          'The Jupyter server answered with something unexpected.'
        ),
        hint: trans.__('A proxy may stand between this page and the server.')
      };
    case 'other_drive':
      return {
        message: trans.__('This folder is not on the disk of the server.'),
        hint: trans.__('Copy it to the main file browser and deploy it there.')
      };
    case JOB_LOST:
      return {
        message: trans.__('The Jupyter server no longer knows this action.'),
        hint: trans.__(
          'It was probably restarted. Look at the list for what has become of it.'
        )
      };
    default:
      return { message: error.message, hint: error.hint };
  }
}
