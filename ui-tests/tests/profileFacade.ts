import { readFileSync } from 'node:fs';
import * as path from 'node:path';

import type { Page, Route } from '@playwright/test';

/** What the server would say about the profile of one deployment. */
export interface IProfileFacade {
  started?: boolean;
  /** Merged into the default profile, section by section. */
  profile?: Record<string, object>;
  /** What is wrong with every profile that is compared. */
  problems?: object[];
}

type Json = Record<string, unknown>;

/** The profile of a deployment as the server sends it, with its whole schema. */
export function profileView(facade: IProfileFacade = {}): Json {
  const file = path.join(
    __dirname,
    '../../src/profile/__tests__/profileView.json'
  );
  const view = JSON.parse(readFileSync(file, 'utf8')) as Json;
  const profile = view.profile as Record<string, object>;
  for (const [section, more] of Object.entries(facade.profile ?? {})) {
    profile[section] = { ...profile[section], ...more };
  }
  return { ...view, profile, started: facade.started ?? false };
}

/** Answer for the server half about the profile of `name`. */
export async function mockProfile(
  page: Page,
  name: string,
  facade: IProfileFacade = {}
): Promise<{ saved: Json[] }> {
  const view = profileView(facade);
  const saved: Json[] = [];
  const json = (route: Route, body: object, status = 200): Promise<void> =>
    route.fulfill({ status, json: body });
  await page.route(
    new RegExp(`/deployments/${name}/profile(\\?|$)`),
    async route => {
      if (route.request().method() === 'PUT') {
        saved.push(route.request().postDataJSON() as Json);
        return json(route, { ...JOB, deployment: name }, 202);
      }
      return json(route, view);
    }
  );
  await page.route(
    new RegExp(`/deployments/${name}/profile/diff(\\?|$)`),
    route => {
      const { profile } = route.request().postDataJSON() as { profile: Json };
      return json(route, {
        changes: changesOf(view.profile as Json, profile),
        text: linesOf(view.profile as Json, profile),
        problems: facade.problems ?? []
      });
    }
  );
  return { saved };
}

const JOB = {
  id: 'profile-1',
  kind: 'profile',
  environment: 'local',
  state: 'done',
  phase: 'update',
  fraction: null,
  message: '',
  created: 1_760_000_000,
  finished: 1_760_000_001,
  cancelling: false,
  error: null
};

function changesOf(old: Json, now: Json, above = ''): object[] {
  return Object.keys(now).flatMap(key => {
    const [a, b] = [old[key], now[key]];
    if (JSON.stringify(a) === JSON.stringify(b)) {
      return [];
    }
    return typeof b === 'object' && b !== null && !Array.isArray(b)
      ? changesOf((a ?? {}) as Json, b as Json, `${above}${key}.`)
      : [{ path: above + key, old: a ?? null, new: b }];
  });
}

/** Lines that differ, without the cleverness of a real diff. */
function linesOf(old: Json, now: Json): string {
  const [a, b] = [old, now].map(value =>
    JSON.stringify(value, null, 2).split('\n')
  );
  const lines = b.flatMap((line, index) =>
    line === a[index] ? [] : [`-${a[index]}`, `+${line}`]
  );
  return ['--- saved', '+++ yours', '@@ -34,7 +34,7 @@', ...lines].join('\n');
}
