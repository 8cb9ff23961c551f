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
  jobs: (): string => path('jobs'),
  job: (id: string): string => path('jobs', id),
  deployments: (environment: string): string =>
    path('environments', environment, 'deployments'),
  deployment: (environment: string, name: string): string =>
    path('environments', environment, 'deployments', name),
  action: (
    environment: string,
    name: string,
    verb: 'start' | 'stop' | 'infer' | 'sample-payload'
  ): string => path('environments', environment, 'deployments', name, verb)
};
