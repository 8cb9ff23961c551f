import type { ServerConnection } from '@jupyterlab/services';

import type {
  Answer,
  ConnectionReport,
  DeploymentList,
  DeployRequest,
  EnvironmentRequest,
  Info,
  Inspection,
  Job,
  JobList,
  Lease,
  NextProfileRequest,
  RuntimeList,
  ProfileDiff,
  ProfileRequest,
  ProfileView,
  SamplePayload,
  TokenRequest
} from './wire';
import { EdiError } from './errors';
import { request } from './request';
import { urls } from './urls';

/**
 * The façade of our server half, one method per route.
 *
 * Every method throws {@link EdiError} and nothing else.
 */
export interface IEdiClient {
  /**
   * What the server half is and which environments it can reach.
   * @throws EdiError - `not_installed` when there is no server half.
   */
  info(): Promise<Info>;
  /**
   * Add an environment or change one; another host clears its token.
   * @throws EdiError - `confirmation_needed`, with the hosts in `detail`.
   */
  saveEnvironment(id: string, body: EnvironmentRequest): Promise<Info>;
  /** Forget a stored environment. */
  removeEnvironment(id: string): Promise<Info>;
  /** Say where the token of an environment comes from, or hand one over. */
  chooseToken(id: string, body: TokenRequest): Promise<Info>;
  /** Forget a pasted token; that of the environment's own source is used again. */
  forgetToken(id: string): Promise<Info>;
  /** Test the way to an environment, step by step. */
  testEnvironment(id: string): Promise<ConnectionReport>;
  /**
   * Say that this tab looks at an environment, so that the server watches it and
   * tells of changes by events.
   */
  lease(environment: string, tab: string): Promise<Lease>;
  /** The Python environments that kernels can run in. */
  runtimes(environment: string, signal?: AbortSignal): Promise<RuntimeList>;
  /** The deployments of an environment and the jobs on them. */
  list(environment: string): Promise<DeploymentList>;
  /** All jobs of this Jupyter server. */
  jobs(): Promise<JobList>;
  /** Ask a job to cancel; it does so at its next safe point. */
  cancel(job: string): Promise<Job>;
  /**
   * Look at a folder before it is deployed; `path` is local to its drive, and
   * `name`, if there is one, stands for that of `model.json`.
   */
  inspect(
    path: string,
    name: string | null,
    signal?: AbortSignal
  ): Promise<Inspection>;
  /**
   * Apply the fix of a finding to the folder, and look at it again; `name` is
   * the one that the folder was looked at with.
   */
  fix(path: string, fix: string, name: string | null): Promise<Inspection>;
  /** Pack, send and (by default) start a submission. */
  deploy(environment: string, body: DeployRequest): Promise<Job>;
  /** Start a deployment and wait until it is ready. */
  start(environment: string, name: string): Promise<Job>;
  /** Stop a deployment and wait until it has stopped. */
  stop(environment: string, name: string): Promise<Job>;
  /** Stop a deployment, wait, start it and wait until it is ready. */
  restart(environment: string, name: string): Promise<Job>;
  /** Stop a deployment, wait, and remove it. */
  undeploy(environment: string, name: string): Promise<Job>;
  /** The profile of a deployment and what is needed to edit it. */
  profile(environment: string, name: string): Promise<ProfileView>;
  /** What saving a profile would change, and why it would be refused. */
  diffProfile(
    environment: string,
    name: string,
    profile: ProfileRequest['profile']
  ): Promise<ProfileDiff>;
  /** Save a whole profile and, if asked, restart the deployment with it. */
  saveProfile(
    environment: string,
    name: string,
    body: ProfileRequest
  ): Promise<Job>;
  /** Keep a whole profile until the deployment is next stopped or started. */
  saveNextProfile(
    environment: string,
    name: string,
    body: NextProfileRequest
  ): Promise<ProfileView>;
  /** Forget the profile that waits for the next start. */
  discardNextProfile(environment: string, name: string): Promise<ProfileView>;
  /** The request that the deployment's README shows. */
  samplePayload(environment: string, name: string): Promise<SamplePayload>;
  /** Send one inference request; the service's own errors are answers. */
  infer(
    environment: string,
    name: string,
    payload: string,
    signal?: AbortSignal
  ): Promise<Answer>;
}

/** The client of a running Jupyter server. */
export class EdiClient implements IEdiClient {
  constructor(settings: ServerConnection.ISettings) {
    this._settings = settings;
  }

  async info(): Promise<Info> {
    try {
      return await request<Info>(urls.info(), this._settings);
    } catch (reason) {
      if (
        reason instanceof EdiError &&
        reason.status === 404 &&
        reason.code === 'bad_answer'
      ) {
        throw new EdiError({
          code: 'not_installed',
          message: 'The server part of edi_labext is not enabled.',
          status: 404
        });
      }
      throw reason;
    }
  }

  saveEnvironment(id: string, body: EnvironmentRequest): Promise<Info> {
    return request(urls.environment(id), this._settings, {
      method: 'PUT',
      body
    });
  }

  removeEnvironment(id: string): Promise<Info> {
    return request(urls.environment(id), this._settings, { method: 'DELETE' });
  }

  chooseToken(id: string, body: TokenRequest): Promise<Info> {
    return request(urls.token(id), this._settings, { method: 'PUT', body });
  }

  forgetToken(id: string): Promise<Info> {
    return request(urls.token(id), this._settings, { method: 'DELETE' });
  }

  testEnvironment(id: string): Promise<ConnectionReport> {
    return request(urls.test(id), this._settings, { method: 'POST' });
  }

  lease(environment: string, tab: string): Promise<Lease> {
    return request(urls.lease(environment), this._settings, {
      method: 'POST',
      body: { tab }
    });
  }

  runtimes(environment: string, signal?: AbortSignal): Promise<RuntimeList> {
    return request(urls.runtimes(environment), this._settings, { signal });
  }

  list(environment: string): Promise<DeploymentList> {
    return request(urls.deployments(environment), this._settings);
  }

  jobs(): Promise<JobList> {
    return request(urls.jobs(), this._settings);
  }

  cancel(job: string): Promise<Job> {
    return request(urls.job(job), this._settings, { method: 'DELETE' });
  }

  inspect(
    path: string,
    name: string | null,
    signal?: AbortSignal
  ): Promise<Inspection> {
    const body = { path, name };
    return request(urls.inspect(), this._settings, {
      method: 'POST',
      body,
      signal
    });
  }

  fix(path: string, fix: string, name: string | null): Promise<Inspection> {
    return request(urls.fix(), this._settings, {
      method: 'POST',
      body: { path, fix, name }
    });
  }

  deploy(environment: string, body: DeployRequest): Promise<Job> {
    return this._post(urls.deployments(environment), body);
  }

  start(environment: string, name: string): Promise<Job> {
    return this._post(urls.action(environment, name, 'start'));
  }

  stop(environment: string, name: string): Promise<Job> {
    return this._post(urls.action(environment, name, 'stop'));
  }

  restart(environment: string, name: string): Promise<Job> {
    return this._post(urls.action(environment, name, 'restart'));
  }

  undeploy(environment: string, name: string): Promise<Job> {
    const url = urls.deployment(environment, name);
    return request(url, this._settings, { method: 'DELETE' });
  }

  profile(environment: string, name: string): Promise<ProfileView> {
    return request(urls.profile(environment, name), this._settings);
  }

  diffProfile(
    environment: string,
    name: string,
    profile: ProfileRequest['profile']
  ): Promise<ProfileDiff> {
    return request(urls.profileDiff(environment, name), this._settings, {
      method: 'POST',
      body: { profile }
    });
  }

  saveProfile(
    environment: string,
    name: string,
    body: ProfileRequest
  ): Promise<Job> {
    const url = urls.profile(environment, name);
    return request(url, this._settings, { method: 'PUT', body });
  }

  saveNextProfile(
    environment: string,
    name: string,
    body: NextProfileRequest
  ): Promise<ProfileView> {
    const url = urls.nextProfile(environment, name);
    return request(url, this._settings, { method: 'PUT', body });
  }

  discardNextProfile(environment: string, name: string): Promise<ProfileView> {
    const url = urls.nextProfile(environment, name);
    return request(url, this._settings, { method: 'DELETE' });
  }

  samplePayload(environment: string, name: string): Promise<SamplePayload> {
    const url = urls.action(environment, name, 'sample-payload');
    return request(url, this._settings);
  }

  infer(
    environment: string,
    name: string,
    payload: string,
    signal?: AbortSignal
  ): Promise<Answer> {
    return request(urls.action(environment, name, 'infer'), this._settings, {
      method: 'POST',
      body: { payload },
      signal
    });
  }

  private _post(url: string, body: unknown = {}): Promise<Job> {
    return request(url, this._settings, { method: 'POST', body });
  }

  private readonly _settings: ServerConnection.ISettings;
}
