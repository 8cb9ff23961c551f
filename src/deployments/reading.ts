import type { IEdiClient } from '../api/client';
import { EdiError } from '../api/errors';
import type { DeploymentList, Job } from '../api/wire';
import type { View } from './view';

/** What the server answered about one environment. */
export interface IReading {
  readonly list: DeploymentList;
  /** The jobs that it told of. */
  readonly jobs: readonly Job[];
  /** Whether it would have told of the given job. */
  readonly covers: (job: Job) => boolean;
}

/**
 * Ask for the list of an environment, and for all jobs if some that are followed
 * are elsewhere.
 *
 * @param id - The environment; undefined when the server has named none.
 * @throws EdiError - when the server cannot be asked.
 */
export async function readList(
  client: IEdiClient,
  id: string | undefined,
  followed: readonly Job[]
): Promise<IReading> {
  if (id === undefined) {
    throw new EdiError({
      code: 'bad_answer',
      message: 'The Jupyter server names no environment.'
    });
  }
  const list = await client.list(id);
  const isHere = (job: Job): boolean => job.environment === id;
  if (followed.every(isHere)) {
    return { list, jobs: list.jobs, covers: isHere };
  }
  const { jobs } = await client.jobs();
  return { list, jobs, covers: () => true };
}

/** A list that has just arrived, as a view. */
export function viewOf(list: DeploymentList): View {
  const snapshot = { list, received: Date.now() };
  return list.error
    ? { kind: 'error', error: EdiError.fromInfo(list.error), stale: snapshot }
    : { kind: 'ready', snapshot };
}
