import { URLExt } from '@jupyterlab/coreutils';

/** Everything of ours lives below this part of the Jupyter server's address. */
export const NAMESPACE = 'edi';

/** Join path segments, each encoded, so that a name can never change the route. */
function path(...segments: string[]): string {
  return URLExt.join(NAMESPACE, ...segments.map(encodeURIComponent));
}

/** The routes of the façade, relative to the Jupyter server's base URL. */
export const urls = {
  info: (): string => path('info'),
  inspect: (): string => path('submissions', 'inspect'),
  fix: (): string => path('submissions', 'fix'),
  jobs: (): string => path('jobs'),
  job: (id: string): string => path('jobs', id),
  environment: (environment: string): string =>
    path('environments', environment),
  token: (environment: string): string =>
    path('environments', environment, 'token'),
  test: (environment: string): string =>
    path('environments', environment, 'test'),
  lease: (environment: string): string =>
    path('environments', environment, 'lease'),
  runtimes: (environment: string): string =>
    path('environments', environment, 'runtimes'),
  deployments: (environment: string): string =>
    path('environments', environment, 'deployments'),
  deployment: (environment: string, name: string): string =>
    path('environments', environment, 'deployments', name),
  profile: (environment: string, name: string): string =>
    path('environments', environment, 'deployments', name, 'profile'),
  profileDiff: (environment: string, name: string): string =>
    path('environments', environment, 'deployments', name, 'profile', 'diff'),
  nextProfile: (environment: string, name: string): string =>
    path('environments', environment, 'deployments', name, 'profile', 'next'),
  action: (
    environment: string,
    name: string,
    verb: 'start' | 'stop' | 'restart' | 'infer' | 'sample-payload'
  ): string => path('environments', environment, 'deployments', name, verb)
};
