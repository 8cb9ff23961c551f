import * as path from 'node:path';

import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { AxeResults, ElementContext, RunOptions } from 'axe-core';

import { deployment } from './facade';
import { mockFolder, NAME, HOOK, ANSWER } from './folder';
import { expect, showPanel, test } from './lab';
import { mockProfile } from './profileFacade';
import { ProfilePage } from './profilePage';

const AXE = path.join(path.dirname(require.resolve('axe-core')), 'axe.min.js');

interface IAxe {
  run: (context: ElementContext, options: RunOptions) => Promise<AxeResults>;
}

/** Everything that axe finds in our parts of the page, one line each. */
async function faults(
  page: IJupyterLabPageFixture,
  ...ours: string[]
): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) {
    await page.addScriptTag({ path: AXE });
  }
  return page.evaluate(async include => {
    const { axe } = window as unknown as { axe: IAxe };
    const { violations } = await axe.run(
      { include: include.map(selector => [selector]) },
      {
        resultTypes: ['violations'],
        rules: {
          // Where a part of the page begins is JupyterLab's to say.
          region: { enabled: false }
        }
      }
    );
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(
        ({ target, failureSummary }) =>
          `${id} (${help}) at ${target.join(' ')}: ${failureSummary ?? ''}`
      )
    );
  }, ours);
}

/** Look at what shows in both themes. */
async function expectNoFaults(
  page: IJupyterLabPageFixture,
  ...ours: string[]
): Promise<void> {
  await page.theme.setLightTheme();
  expect(await faults(page, ...ours), 'light').toEqual([]);
  await page.theme.setDarkTheme();
  expect(await faults(page, ...ours), 'dark').toEqual([]);
}

const PANEL = '.edi-Panel';

test('the panel: empty, rows, a failure with its log, and Send', async ({
  page
}) => {
  const edi = await showPanel(page, {});
  await expect(edi.panel.getByText('No deployments yet.')).toBeVisible();
  await expectNoFaults(page, PANEL);

  await showPanel(page, {
    deployments: [
      deployment('churn-model', { gpu: 'shared', profile_changed: true }),
      deployment('digits', { pending_tasks: 2 }),
      deployment('sentiment', {
        state: 'failed',
        reason: 'The kernel ended with exit code 1.',
        log_tail: ['Traceback (most recent call last):', 'ImportError: torch']
      }),
      deployment('stopped', { state: 'stopped', kernels_ready: 0 })
    ]
  });
  await edi.expand('sentiment');
  await expect(edi.panel.getByText('ImportError: torch')).toBeVisible();
  await expectNoFaults(page, PANEL);
  await edi.expand('digits');
  await expect(edi.panel.getByLabel('Request', { exact: true })).toHaveValue(
    /digit/
  );
  await edi.panel.getByText('About this deployment').click();
  await expectNoFaults(page, PANEL);
});

test('the panel in trouble: a stale list and a token that is refused', async ({
  page
}) => {
  const edi = await showPanel(page, {
    deployments: [deployment('digits')],
    error: {
      code: 'upstream_timeout',
      message: 'wmla.example.com did not answer in time (after 10.0 s).',
      hint: 'Look at the list before you repeat.',
      field: null,
      detail: null,
      fields: null
    }
  });
  await expect(edi.panel.getByText('did not answer in time')).toBeVisible();
  await expectNoFaults(page, PANEL);
});

test('the deploy dialog with findings', async ({ page }) => {
  const edi = await mockFolder(page, [NAME, HOOK, ANSWER]);
  await expect(edi.dialog.getByRole('listitem').first()).toBeVisible();
  await edi.dialog.getByText(/^1 file, /).click();
  await expectNoFaults(page, '.edi-Deploy');
});

test('the profile: faults, and what would change', async ({ page }) => {
  await mockProfile(page, 'digits');
  await showPanel(page, {
    deployments: [deployment('digits', { state: 'stopped' })]
  });
  const profile = new ProfilePage(page, 'digits');
  await profile.open();
  await profile.gpu('Exclusive GPU').check();
  await profile.field('Request timeout').fill('0');
  await profile.save.click();
  await expect(profile.form.getByRole('alert')).toContainText(
    '1 field needs attention'
  );
  await expectNoFaults(page, '.edi-Profile');
  await profile.field('Request timeout').fill('30');
  await profile.save.click();
  await profile.dialog
    .getByText('Changed lines of the document', { exact: true })
    .click();
  await expectNoFaults(page, '.edi-Review');
});

test('the environments', async ({ page }) => {
  const edi = await showPanel(page, {
    environments: [
      { id: 'local', title: 'Local (this machine)', kind: 'local', host: null },
      {
        id: 'prod',
        title: 'prod',
        kind: 'remote',
        source: 'stored',
        host: 'wmla.example.com',
        insecure: true
      }
    ]
  });
  await page.route(/\/environments\/prod\/test(\?|$)/, route =>
    route.fulfill({
      json: {
        ok: false,
        steps: [
          { name: 'resolve', ok: true, text: 'Found.', hint: null, seconds: 0 },
          {
            name: 'connect',
            ok: false,
            text: 'wmla.example.com refused the connection.',
            hint: 'Check the network.',
            seconds: 0
          }
        ]
      }
    })
  );
  await edi.panel
    .getByRole('button', { name: 'Add, test and remove environments' })
    .click();
  await edi.dialog
    .getByRole('group', { name: 'prod' })
    .getByRole('button', { name: 'Test' })
    .click();
  await expect(edi.dialog.getByText('Check the network.')).toBeVisible();
  await expectNoFaults(page, '.edi-Environments');
});
