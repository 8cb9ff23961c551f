import { test as galata } from '@jupyterlab/galata';

import { LabServer } from './server';

export { expect, type IJupyterLabPageFixture } from '@jupyterlab/galata';

/**
 * Galata's test on a JupyterLab that belongs to its worker, so that files of
 * tests can run side by side. A worker that follows a failure gets a new one.
 */
export const test = galata.extend<object, { server: LabServer }>({
  server: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const server = await LabServer.start('open');
      await use(server);
      await server.stop();
    },
    { scope: 'worker', timeout: 120_000 }
  ],
  baseURL: async ({ server }, use) => {
    await use(server.url.replace(/\/$/, ''));
  },
  // The tests answer requests themselves, or listen, before the page is there.
  autoGoto: false
});
