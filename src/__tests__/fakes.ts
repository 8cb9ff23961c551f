import { nullTranslator } from '@jupyterlab/translation';
import { JSONExt } from '@lumino/coreutils';

import type { IEdiClient } from '../api/client';
import { LazyDeployments } from '../deployments/lazy';
import type { DeploymentsModel } from '../deployments/model';
import profileView from '../profile/__tests__/profileView.json';
import { VERSION } from '../version';
import type {
  ConnectionReport,
  Deployment,
  DeploymentList,
  EnvironmentInfo,
  EnvironmentRequest,
  FindingInfo,
  Info,
  Inspection,
  Job,
  Lease,
  NextProfile,
  NextProfileRequest,
  ProfileDiff,
  ProfileRequest,
  ProfileView,
  RuntimeList,
  TokenRequest
} from '../api/wire';

/** English, as written in the source. */
export const trans = nullTranslator.load('edi_labext');

/** What commands get once something has needed the model. */
export async function ready(model: DeploymentsModel): Promise<LazyDeployments> {
  const deployments = new LazyDeployments(async () => model);
  await deployments.load();
  return deployments;
}

/** A deployment with everything that a test does not care about. */
export function aDeployment(
  name: string,
  more: Partial<Deployment> = {}
): Deployment {
  return {
    name,
    state: 'ready',
    reason: '',
    since: 0,
    kernels_ready: 1,
    kernels_wanted: 1,
    pending_tasks: 0,
    runtime: 'python',
    kernel_path: 'kernel.py',
    tag: '',
    creator: 'jo',
    size: 100,
    create_time: 1,
    started_at: 1,
    service_uri: '',
    log_tail: [],
    gpu: 'no',
    profile_changed: false,
    next_profile: false,
    ...more
  };
}

/** A running job with everything that a test does not care about. */
export function aJob(
  id: string,
  deployment: string,
  more: Partial<Job> = {}
): Job {
  return {
    id,
    kind: 'deploy',
    environment: 'local',
    deployment,
    state: 'running',
    phase: 'pack',
    fraction: null,
    message: 'Packing',
    created: 1,
    finished: null,
    cancelling: false,
    error: null,
    ...more
  };
}

export function anEnvironment(
  id: string,
  more: Partial<EnvironmentInfo> = {}
): EnvironmentInfo {
  return {
    id,
    title: id,
    kind: 'local',
    host: null,
    problem: null,
    token_expires: null,
    source: id === 'local' ? 'built-in' : 'stored',
    address: null,
    inference_address: null,
    token_source: null,
    token_pasted: false,
    token_variable: null,
    token_advice: '',
    insecure: false,
    own_authorities: false,
    client_certificate: false,
    upload: 'auto',
    production: false,
    ...more
  };
}

export function anInspection(more: Partial<Inspection> = {}): Inspection {
  return {
    path: 'examples/digits',
    name: 'digits',
    own_name: 'digits',
    proposed_name: 'digits',
    kernel_path: 'kernel.py',
    runtime: 'python',
    files: [{ path: 'kernel.py', size: 1200 }],
    file_count: 1,
    total_size: 1200,
    ignored: [],
    problems: [],
    findings: [],
    ...more
  };
}

/** A finding with everything that a test does not care about. */
export function aFinding(
  message: string,
  more: Partial<FindingInfo> = {}
): FindingInfo {
  return {
    code: 'kernel-hook-misspelt',
    severity: 'error',
    file: 'kernel.py',
    line: 10,
    column: 5,
    message,
    why: '',
    hint: null,
    fix: null,
    ...more
  };
}

/** A stopped deployment's profile with its whole schema, as the server sends it. */
export function aProfileView(more: Partial<ProfileView> = {}): ProfileView {
  return { ...JSONExt.deepCopy(profileView), ...more };
}

/** A profile that waits for the next start. */
export function aNextProfile(
  profile: NextProfile['profile'],
  more: Partial<NextProfile> = {}
): NextProfile {
  return {
    profile,
    saved_at: 1_760_000_000,
    outdated: false,
    changes: [{ path: 'policy.task_batch_size', old: 1, new: 4 }],
    text: '--- saved\n+++ yours\n-"task_batch_size": 1\n+"task_batch_size": 4',
    ...more
  };
}

/** A server in memory; every method can be watched and replaced. */
export class FakeClient implements IEdiClient {
  environments: EnvironmentInfo[] = [anEnvironment('local')];
  tokenAvailable = false;
  unsafePackages: Info['unsafe_packages'] = [];
  deployments: Deployment[] = [];
  allJobs: Job[] = [];
  engine: DeploymentList['engine'] = 'running';

  serverExtension: Info['server_extension'] = {
    running: VERSION,
    installed: VERSION,
    frontend: VERSION
  };

  info = jest.fn(async (): Promise<Info> => ({
    version: this.serverExtension.running,
    server_extension: this.serverExtension,
    environments: this.environments,
    default_environment: this.environments[0]?.id ?? 'local',
    environments_problem: null,
    token_available: this.tokenAvailable,
    unsafe_packages: this.unsafePackages,
    limits: {
      body_bytes: 1,
      payload_bytes: 1,
      answer_bytes: 1,
      inspected_files: 1
    }
  }));

  saveEnvironment = jest.fn(
    async (id: string, body: EnvironmentRequest): Promise<Info> => {
      const { title, address } = body;
      this.environments = [
        ...this.environments.filter(known => known.id !== id),
        anEnvironment(id, { title, address })
      ];
      return this.info();
    }
  );

  removeEnvironment = jest.fn(async (id: string): Promise<Info> => {
    this.environments = this.environments.filter(known => known.id !== id);
    return this.info();
  });

  chooseToken = jest.fn(
    async (_id: string, _body: TokenRequest): Promise<Info> => this.info()
  );

  forgetToken = jest.fn(async (_id: string): Promise<Info> => this.info());

  testEnvironment = jest.fn(async (_id: string): Promise<ConnectionReport> => ({
    ok: true,
    steps: []
  }));

  lease = jest.fn(
    async (_environment: string, _tab: string): Promise<Lease> => ({
      seconds: 60,
      revision: null
    })
  );

  runtimes = jest.fn(
    async (
      _environment: string,
      _signal?: AbortSignal
    ): Promise<RuntimeList> => ({ runtimes: [], default: null })
  );

  list = jest.fn(async (environment: string): Promise<DeploymentList> => {
    const content = {
      environment,
      engine: this.engine,
      deployments: [...this.deployments],
      jobs: this.allJobs.filter(job => job.environment === environment),
      error: null,
      stale: false
    };
    return { ...content, revision: JSON.stringify(content) };
  });

  jobs = jest.fn(async () => ({ jobs: [...this.allJobs] }));

  cancel = jest.fn(async (id: string) => {
    this.change(id, { cancelling: true });
    return this.allJobs.find(job => job.id === id)!;
  });

  inspect = jest.fn(
    async (
      path: string,
      name: string | null,
      _signal?: AbortSignal
    ): Promise<Inspection> => anInspection({ path, ...(name && { name }) })
  );

  fix = jest.fn(
    async (
      path: string,
      _fix: string,
      name: string | null
    ): Promise<Inspection> => anInspection({ path, ...(name && { name }) })
  );

  deploy = jest.fn(async (environment: string, _body: object) =>
    this.addJob(aJob('job-deploy', 'digits', { environment }))
  );

  start = jest.fn(async (environment: string, name: string) =>
    this.addJob(aJob(`start-${name}`, name, { environment, kind: 'start' }))
  );

  stop = jest.fn(async (environment: string, name: string) =>
    this.addJob(aJob(`stop-${name}`, name, { environment, kind: 'stop' }))
  );

  restart = jest.fn(async (environment: string, name: string) =>
    this.addJob(aJob(`restart-${name}`, name, { environment, kind: 'restart' }))
  );

  undeploy = jest.fn(async (environment: string, name: string) =>
    this.addJob(
      aJob(`undeploy-${name}`, name, { environment, kind: 'undeploy' })
    )
  );

  profile = jest.fn(
    async (_environment: string, _name: string): Promise<ProfileView> =>
      aProfileView()
  );

  diffProfile = jest.fn(
    async (
      _environment: string,
      _name: string,
      _profile: object
    ): Promise<ProfileDiff> => ({ changes: [], text: '', problems: [] })
  );

  saveProfile = jest.fn(
    async (environment: string, name: string, _body: ProfileRequest) =>
      this.addJob(
        aJob(`profile-${name}`, name, { environment, kind: 'profile' })
      )
  );

  saveNextProfile = jest.fn(
    async (
      _environment: string,
      _name: string,
      { profile }: NextProfileRequest
    ): Promise<ProfileView> =>
      aProfileView({ started: true, next: aNextProfile(profile) })
  );

  discardNextProfile = jest.fn(
    async (_environment: string, _name: string): Promise<ProfileView> =>
      aProfileView({ started: true })
  );

  samplePayload = jest.fn(async (_environment: string, _name: string) => ({
    payload: '{"sample": 1}' as string | null
  }));

  infer = jest.fn(
    async (
      _environment: string,
      _name: string,
      payload: string,
      _signal?: AbortSignal
    ) => ({
      status: 200,
      ok: true,
      content_type: 'application/json',
      body: payload,
      size: payload.length,
      truncated: false,
      elapsed_ms: 12.3,
      error: null
    })
  );

  /** Change a job as the server would in the course of time. */
  change(id: string, more: Partial<Job>): void {
    this.allJobs = this.allJobs.map(job =>
      job.id === id ? { ...job, ...more } : job
    );
  }

  private addJob(job: Job): Job {
    this.allJobs.push(job);
    return job;
  }
}
