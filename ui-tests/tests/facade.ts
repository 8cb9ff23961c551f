import { readFileSync } from 'node:fs';
import * as path from 'node:path';

import type { Page, Route } from '@playwright/test';

/** Answers of the façade that a test writes itself. */
export interface IFacade {
  deployments?: object[];
  jobs?: object[];
  engine?: 'stopped' | 'starting' | 'running' | null;
  error?: object | null;
  inspection?: object;
  environments?: object[];
  runtimes?: object[];
  /** Versions of the server half; those of this tree without it. */
  server?: object;
}

/** Version of this tree. */
export const VERSION = (
  JSON.parse(
    readFileSync(path.join(__dirname, '..', '..', 'package.json'), 'utf8')
  ) as { version: string }
).version;

/** A deployment with everything that a test does not care about. */
export function deployment(name: string, more: object = {}): object {
  return {
    name,
    state: 'ready',
    reason: '',
    since: 1_760_000_000,
    kernels_ready: 1,
    kernels_wanted: 1,
    pending_tasks: 0,
    runtime: 'python',
    kernel_path: 'kernel.py',
    tag: 'demo',
    creator: 'jo',
    size: 14_200,
    create_time: 1_760_000_000,
    started_at: 1_760_000_100,
    service_uri: `http://127.0.0.1:40123/dlim/v1/inference/${name}`,
    log_tail: [],
    ...more
  };
}

/** Answer for the server half, so that a rare state can be looked at. */
export async function mockFacade(page: Page, facade: IFacade): Promise<void> {
  const json = (route: Route, body: object, status = 200): Promise<void> =>
    route.fulfill({
      status,
      contentType: 'application/json',
      body: JSON.stringify(body)
    });
  const environments = facade.environments ?? [
    {
      id: 'local',
      title: 'Local (this machine)',
      kind: 'local',
      host: null,
      problem: null
    }
  ];
  const server_extension = facade.server ?? {
    running: VERSION,
    installed: VERSION,
    frontend: VERSION
  };
  await page.route(/\/lease(\?|$)/, route =>
    json(route, { seconds: 60, revision: null })
  );
  await page.route(/\/runtimes(\?|$)/, route =>
    json(route, { runtimes: facade.runtimes ?? [], default: 'python' })
  );
  await page.route(/\/edi\/info(\?|$)/, route =>
    json(route, {
      version: VERSION,
      server_extension,
      environments,
      limits: {}
    })
  );
  await page.route(/\/edi\/jobs(\?|$)/, route =>
    json(route, { jobs: facade.jobs ?? [] })
  );
  await page.route(/\/edi\/submissions\/inspect(\?|$)/, route =>
    json(route, facade.inspection ?? {})
  );
  await page.route(/\/sample-payload(\?|$)/, route =>
    json(route, { payload: '{"digit": [0, 0, 5, 13, 9, 1, 0, 0]}' })
  );
  await page.route(/\/deployments(\?|$)/, route => {
    const body = {
      environment: 'local',
      engine: facade.engine === undefined ? 'running' : facade.engine,
      deployments: facade.deployments ?? [],
      jobs: facade.jobs ?? [],
      error: facade.error ?? null,
      stale: false
    };
    return json(route, { ...body, revision: JSON.stringify(body) });
  });
}
