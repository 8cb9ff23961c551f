import { JSONExt } from '@lumino/coreutils';
import type { ReadonlyJSONValue } from '@lumino/coreutils';

import type { Deployment, DeploymentState, Job, JobKind } from '../api/wire';

/**
 * The state that a row shows: that of the deployment, or of the action that is
 * under way. `deploying` is packing and sending, `removing` is undeploying.
 */
export type RowState = DeploymentState | 'deploying' | 'removing';

/** One line of the list: a deployment, a job that makes one, or both. */
export interface IRow {
  readonly environment: string;
  readonly name: string;
  readonly state: RowState;
  /** Null while a deployment is only being made. */
  readonly deployment: Deployment | null;
  /** The running job on it. */
  readonly job: Job | null;
  /** The action that was asked for and not yet confirmed by the server. */
  readonly pending: JobKind | null;
  /** A deploy job that failed before there was a deployment. */
  readonly failure: Job | null;
}

/** What {@link toRows} combines. */
export interface IRowSources {
  environment: string;
  deployments: readonly Deployment[];
  jobs: readonly Job[];
  pending: ReadonlyMap<string, JobKind>;
  dismissed: ReadonlySet<string>;
}

/** Combine deployments, jobs and pending actions to rows, sorted by name. */
export function toRows(sources: IRowSources): IRow[] {
  const { environment, pending, dismissed } = sources;
  const deployments = new Map(sources.deployments.map(d => [d.name, d]));
  const running = new Map<string, Job>();
  const failed = new Map<string, Job>();
  for (const job of sources.jobs) {
    if (job.environment !== environment) {
      continue;
    }
    if (job.state === 'running') {
      running.set(job.deployment, job);
    }
    // Jobs come oldest first, so only the newest outcome of a name counts.
    failed.delete(job.deployment);
    if (
      job.kind === 'deploy' &&
      job.state === 'failed' &&
      !dismissed.has(job.id)
    ) {
      failed.set(job.deployment, job);
    }
  }
  const making = [...running.values(), ...failed.values()];
  const names = new Set([
    ...deployments.keys(),
    ...making.filter(job => job.kind === 'deploy').map(job => job.deployment),
    ...[...pending]
      .filter(([, kind]) => kind === 'deploy')
      .map(([name]) => name)
  ]);
  return [...names].sort(byName).map(name => {
    const deployment = deployments.get(name) ?? null;
    const job = running.get(name) ?? null;
    const action = pending.get(name) ?? null;
    const failure = deployment || job ? null : (failed.get(name) ?? null);
    return {
      environment,
      name,
      state: rowState(deployment, job, action),
      deployment,
      job,
      pending: action,
      failure
    };
  });
}

/**
 * Replace each row that says the same as before by the one from before, so
 * that only what has changed is drawn again.
 */
export function keepEqual(before: readonly IRow[], rows: IRow[]): IRow[] {
  const known = new Map(before.map(row => [row.name, row]));
  return rows.map(row => {
    const old = known.get(row.name);
    return old !== undefined && isEqual(old, row) ? old : row;
  });
}

function isEqual(a: IRow, b: IRow): boolean {
  return JSONExt.deepEqual(
    a as unknown as ReadonlyJSONValue,
    b as unknown as ReadonlyJSONValue
  );
}

function byName(a: string, b: string): number {
  return a.localeCompare(b, undefined, { numeric: true });
}

function rowState(
  deployment: Deployment | null,
  job: Job | null,
  pending: JobKind | null
): RowState {
  switch (job?.kind ?? pending) {
    case 'deploy':
      return job?.phase === 'start' ? 'starting' : 'deploying';
    case 'start':
      return 'starting';
    case 'stop':
      return 'stopping';
    case 'undeploy':
      return 'removing';
    case 'restart':
    case 'profile':
      if (job?.phase === 'start') {
        return 'starting';
      }
      return job?.phase === 'stop'
        ? 'stopping'
        : (deployment?.state ?? 'unknown');
    default:
      return deployment?.state ?? 'failed';
  }
}
