import {
  galata,
  type IJupyterLabPageFixture,
  test as ofGalata
} from '@jupyterlab/galata';
import { expect, type Page } from '@playwright/test';

import { type IFacade, mockFacade } from './facade';
import { PanelPage } from './panelPage';
import { LabServer, type ServerKind } from './server';

export { expect, type IJupyterLabPageFixture };

type Handler = Parameters<Page['route']>[1];
type Pattern = Parameters<Page['route']>[0];

interface IWorker {
  /** JupyterLab of the worker; a worker that follows a failure gets a new one. */
  server: LabServer;
  /** JupyterLab as people have it: random token, XSRF check on. */
  secureServer: LabServer;
  /** The page that {@link test} shares. */
  lab: IJupyterLabPageFixture;
}

/** A server of the worker, from the first test that needs it to the last. */
function serverOf(kind: ServerKind) {
  return async (
    // eslint-disable-next-line no-empty-pattern
    {},
    use: (server: LabServer) => Promise<void>
  ): Promise<void> => {
    const server = await LabServer.start(kind);
    await use(server);
    await server.stop();
  };
}

/**
 * Galata's test on a JupyterLab server that belongs to its worker, so that files
 * of tests can run side by side. Each test has a page that it loads itself: for
 * tests that are about the loading, or set the clock.
 *
 * All that outlives a test is named here and started by the first who needs it:
 * Playwright ends its worker, browser and all, where the next test has others.
 */
export const loading = ofGalata.extend<object, IWorker>({
  server: [serverOf('open'), { scope: 'worker', timeout: 120_000 }],
  secureServer: [serverOf('secure'), { scope: 'worker', timeout: 120_000 }],
  lab: [
    async ({ browser, server }, use) => {
      const { page } = await galata.newPage({
        browser,
        baseURL: server.url.replace(/\/$/, ''),
        autoGoto: false,
        tmpPath: '',
        // After a reload the tab in front may be any other than the launcher.
        waitForApplication: async page => {
          await page
            .locator('#jupyterlab-splash')
            .waitFor({ state: 'detached' });
          await page.getByRole('tab', { name: 'EDI deployments' }).waitFor();
        }
      });
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.goto();
      await page.getByRole('tab', { name: 'Launcher' }).waitFor();
      await use(page);
      await page.context().close();
    },
    { scope: 'worker' }
  ],
  baseURL: async ({ server }, use) => {
    await use(server.url.replace(/\/$/, ''));
  },
  // The tests answer requests themselves, or listen, before the page is there.
  autoGoto: false
});

/**
 * Tests on one page of JupyterLab, which is loaded once and put in order after
 * each of them, since loading it takes longer than most tests do. Those that
 * are about the loading itself, or set the clock, use `loading`.
 */
export const test = loading.extend({
  page: async ({ lab }, use) => {
    // Galata's page stands in front of Playwright's, which keeps the routes.
    const { page } = lab as unknown as { page: Page };
    const added: [Pattern, Handler][] = [];
    const route = page.route.bind(page);
    page.route = (pattern, handler, options) => {
      added.push([pattern, handler]);
      return route(pattern, handler, options);
    };
    await use(lab);
    page.route = route;
    await tidy(lab);
    for (const [pattern, handler] of added) {
      await page.unroute(pattern, handler);
    }
    // The next one may be about the server half itself.
    await new PanelPage(lab).refresh();
  }
});

/** Show the panel with these answers of the server half. */
export async function showPanel(
  page: IJupyterLabPageFixture,
  facade: IFacade
): Promise<PanelPage> {
  await mockFacade(page, facade);
  const edi = new PanelPage(page);
  await edi.open();
  await edi.refresh();
  const [first, second] = (facade.environments ?? []) as { id: string }[];
  if (second !== undefined) {
    // The page may remember another one.
    await edi.panel
      .getByRole('combobox', { name: 'Environment' })
      .selectOption(first.id);
  }
  return edi;
}

/** Leave the page as a test expects to find it. */
async function tidy(page: IJupyterLabPageFixture): Promise<void> {
  await expect(async () => {
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0, { timeout: 200 });
  }).toPass();
  await page.evaluate(() => {
    interface IProfileTab {
      id: string;
      model: { discard: () => void };
      dispose: () => void;
    }
    const { shell } = window.jupyterapp;
    const tabs = [...shell.widgets('main')] as unknown as IProfileTab[];
    for (const tab of tabs.filter(({ id }) => /^edi-profile-/.test(id))) {
      tab.model.discard();
      tab.dispose();
    }
  });
  await new PanelPage(page).open();
  const open = page.locator('.edi-Row-toggle[aria-expanded="true"]');
  if (await open.count()) {
    await open.click();
  }
  if (
    !(await page.evaluate(() => document.body.dataset.jpThemeLight === 'true'))
  ) {
    await page.theme.setLightTheme();
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}
