import type { IRow } from './rows';

/** What can be done to a deployment with one command. */
export type Action = 'start' | 'stop' | 'restart' | 'undeploy';

/** Whether something is being done to the row, so that no new action fits. */
export function isBusy(row: IRow): boolean {
  return row.job !== null || row.pending !== null;
}

/** Whether the row is on its way to another state. */
export function isInTransition(row: IRow): boolean {
  return isBusy(row) || row.state === 'starting' || row.state === 'stopping';
}

/** Whether the action makes sense for the row as it is now. */
export function allows(row: IRow, action: Action | 'send'): boolean {
  if (row.deployment === null) {
    return false;
  }
  if (action === 'send') {
    return row.state !== 'removing';
  }
  if (isBusy(row)) {
    return false;
  }
  switch (action) {
    case 'start':
      return row.state === 'stopped' || row.state === 'failed';
    case 'stop':
      return row.state !== 'stopped' && row.state !== 'stopping';
    case 'restart':
      return row.state !== 'stopped' && row.state !== 'stopping';
    case 'undeploy':
      return true;
  }
}
