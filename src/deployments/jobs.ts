import type { Job } from '../api/wire';

/** Code of the error that a job gets when the server no longer knows it. */
export const JOB_LOST = 'job_lost';

interface IFollowed {
  job: Job;
  /** Number of the last request that was sent before the job was followed. */
  since: number;
}

/**
 * The running jobs that this page has seen, so that each end is told exactly
 * once, whichever answer brings it.
 *
 * Requests are numbered, since an answer to a request from before a job was
 * made cannot know the job.
 */
export class FollowedJobs {
  /** Whether anything is running. */
  get isEmpty(): boolean {
    return this._followed.size === 0;
  }

  /** The newest known version of each followed job. */
  get running(): readonly Job[] {
    return [...this._followed.values()].map(({ job }) => job);
  }

  /** Follow a job that the answer to an action has brought. */
  follow(job: Job, since: number): void {
    if (job.state === 'running') {
      this._followed.set(job.id, { job, since });
    }
  }

  /**
   * Take the jobs of an answer into account.
   *
   * @param jobs - The jobs in the answer.
   * @param request - Number of the request.
   * @param covers - Whether the answer would have held the given job.
   * @returns the jobs that have ended since; a job that the server no longer
   * knows has ended as failed with code `job_lost`.
   */
  observe(
    jobs: readonly Job[],
    request: number,
    covers: (job: Job) => boolean
  ): Job[] {
    const ended: Job[] = [];
    const found = new Map(jobs.map(job => [job.id, job]));
    for (const [id, followed] of this._followed) {
      const job = found.get(id);
      if (job === undefined) {
        if (covers(followed.job) && request > followed.since) {
          this._followed.delete(id);
          ended.push(lost(followed.job));
        }
      } else if (job.state !== 'running') {
        this._followed.delete(id);
        ended.push(job);
      }
    }
    for (const job of jobs) {
      if (job.state === 'running') {
        const since = this._followed.get(job.id)?.since ?? request;
        this._followed.set(job.id, { job, since });
      }
    }
    return ended;
  }

  private readonly _followed = new Map<string, IFollowed>();
}

function lost(job: Job): Job {
  return {
    ...job,
    state: 'failed',
    cancelling: false,
    error: {
      code: JOB_LOST,
      message: 'The Jupyter server no longer knows this action.',
      hint: null,
      field: null,
      detail: null,
      fields: null
    }
  };
}
