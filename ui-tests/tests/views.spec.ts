import { deployment, mockFacade, VERSION } from './facade';
import { expect, loading, showPanel, test } from './lab';
import { PanelPage } from './panelPage';
import { picture } from './shots';

const LOCAL = {
  id: 'local',
  title: 'Local (this machine)',
  kind: 'local',
  host: null,
  problem: null,
  token_expires: null
};
const WMLA = {
  id: 'wmla',
  title: 'WMLA (wmla.example.com)',
  kind: 'remote',
  host: 'wmla.example.com',
  problem: null as object | null,
  token_expires: null as number | null
};
const EXPIRED = {
  code: 'token_expired',
  message:
    'The token of WMLA (wmla.example.com) expired at 2026-02-11 14:02 UTC.',
  hint: 'Get a new one, set USER_ACCESS_TOKEN to it and restart JupyterLab.',
  field: null,
  detail: null,
  fields: null
};
const MISSING = {
  ...EXPIRED,
  code: 'no_token',
  message: 'USER_ACCESS_TOKEN is not set.',
  hint: 'Set USER_ACCESS_TOKEN to your WMLA token and restart JupyterLab.'
};
const REFUSED = {
  ...EXPIRED,
  code: 'upstream_unauthorized',
  message: 'wmla.example.com did not accept the token.',
  request_id: 'c0ffee'
};

loading(
  'not installed: the command to run; then signed out',
  async ({ page }) => {
    await page.route(/\/edi\//, route => route.fulfill({ status: 404 }));
    await page.goto();
    const edi = new PanelPage(page);
    await edi.open();

    await expect(edi.panel.getByRole('alert')).toContainText('not enabled');
    const command = 'jupyter server extension enable edi_labext';
    await page
      .context()
      .grantPermissions(['clipboard-read', 'clipboard-write']);
    await edi.panel
      .getByRole('button', { name: `Copy the command: ${command}` })
      .click();
    await expect
      .poll(() => page.evaluate(() => navigator.clipboard.readText()))
      .toBe(command);
    await picture(page, 'view-not-installed');

    await page.route(/\/edi\//, route =>
      route.fulfill({ status: 403, json: { message: 'Forbidden' } })
    );
    await edi.panel.getByRole('button', { name: 'Try again' }).click();
    await expect(edi.panel.getByRole('alert')).toContainText(
      'You are signed out of the Jupyter server.'
    );
    await expect(
      edi.panel.getByRole('button', { name: 'Reload the page' })
    ).toBeVisible();
    await picture(page, 'view-signed-out');
  }
);

test('wrong version: which half is older, and what to do', async ({ page }) => {
  const edi = await showPanel(page, {
    deployments: [deployment('digits')],
    server: { running: '0.0.1', installed: '0.0.1', frontend: VERSION }
  });

  const alert = edi.panel.getByRole('alert');
  await expect(alert).toContainText('0.0.1 · older');
  await expect(alert).toContainText(`pip install edi_labext==${VERSION}`);
  await picture(page, 'view-version');
  await edi.panel.getByRole('button', { name: 'Show the list anyway' }).click();
  await edi.expectState('digits', 'Ready');
});

loading('old page: a reload is enough', async ({ page }) => {
  const server = { running: '99.0.0', installed: '99.0.0', frontend: '99.0.0' };
  await mockFacade(page, { server });
  await page.goto();
  const edi = new PanelPage(page);
  await edi.open();

  const loaded = page.waitForEvent('load');
  await edi.panel.getByRole('button', { name: 'Reload the page' }).click();
  await loaded;
});

for (const [name, problem] of [
  ['missing', MISSING],
  ['expired', EXPIRED]
] as const) {
  test(`token ${name}: the next step, and the way to Local`, async ({
    page
  }) => {
    const edi = await showPanel(page, {
      environments: [LOCAL, { ...WMLA, problem }],
      deployments: [deployment('digits')]
    });
    await page.route(/\/wmla\/deployments(\?|$)/, route =>
      route.fulfill({ status: 502, json: REFUSED })
    );
    await edi.panel
      .getByRole('combobox', { name: 'Environment' })
      .selectOption('wmla');

    await expect(edi.panel.getByRole('alert')).toContainText(problem.message);
    await expect(edi.panel.getByRole('alert')).toContainText(problem.hint);
    await picture(page, `view-token-${name}`);
    await page.theme.setDarkTheme();
    await picture(page, `view-token-${name}-dark`);

    await edi.panel
      .getByRole('button', { name: 'Show Local (this machine)' })
      .click();
    await edi.expectState('digits', 'Ready');
  });
}

test('a token that will end is announced', async ({ page }) => {
  const token_expires = Date.now() / 1000 + 12.2 * 60;
  const edi = await showPanel(page, {
    environments: [{ ...WMLA, token_expires }, LOCAL],
    deployments: [deployment('digits')]
  });

  await expect(
    edi.panel.getByText(`The token of ${WMLA.title} expires in 12 min.`)
  ).toBeVisible();
  await edi.expectState('digits', 'Ready');
  await picture(page, 'view-token-soon');
});

loading('unreachable: the list stays, with its age', async ({ page }) => {
  await mockFacade(page, {
    deployments: [
      deployment('churn-model', { kernels_ready: 3, kernels_wanted: 3 }),
      deployment('digits', { state: 'starting', kernels_ready: 0 }),
      deployment('sentiment', { state: 'failed', reason: 'It broke.' })
    ]
  });
  await page.clock.install();
  await page.goto();
  const edi = new PanelPage(page);
  await edi.open();
  await edi.expectState('churn-model', 'Ready');

  await page.route(/\/(deployments|info)(\?|$)/, route => route.abort());
  await edi.panel.getByRole('button', { name: /Refresh/ }).click();
  await expect(
    edi.panel.getByText('The Jupyter server does not answer.')
  ).toBeVisible();
  await page.clock.fastForward('03:00');
  await expect(edi.panel.getByText('Updated 3 min ago')).toBeVisible();
  await edi.expectState('churn-model', 'Ready');
  await picture(page, 'view-stale');
  await page.theme.setDarkTheme();
  await picture(edi.panel, 'view-stale-dark');
});

test('views fit the narrowest panel', async ({ page }) => {
  await mockFacade(page, {
    environments: [{ ...WMLA, problem: EXPIRED }, LOCAL]
  });
  await page.route(/\/wmla\/deployments(\?|$)/, route =>
    route.fulfill({ status: 502, json: REFUSED })
  );
  const edi = new PanelPage(page);
  await edi.open();
  await edi.refresh();
  // Nothing is known of the second after the change from the first.
  for (const environment of ['local', 'wmla']) {
    await edi.panel
      .getByRole('combobox', { name: 'Environment' })
      .selectOption(environment);
  }
  await expect(edi.panel.getByRole('alert')).toBeVisible();
  const widen = await edi.narrow();
  // The toolbar puts away what no longer fits a moment after the change.
  await expect.poll(() => edi.overflow()).toBe(0);
  await picture(edi.panel, 'view-narrow');
  await widen();
});

loading('no request at all while the panel is hidden', async ({ page }) => {
  let requests = 0;
  await mockFacade(page, { deployments: [deployment('digits')] });
  page.on('request', request => {
    requests += /\/edi\//.test(request.url()) ? 1 : 0;
  });
  await page.clock.install();
  await page.goto();
  const edi = new PanelPage(page);
  await expect(
    page.getByRole('tab', { name: 'EDI deployments' })
  ).toBeVisible();
  // Nobody has looked at it yet.
  await page.clock.runFor('00:30');
  expect(requests).toBe(0);
  await edi.open();
  await edi.expectState('digits', 'Ready');
  expect(requests).toBeGreaterThan(0);

  await page.sidebar.openTab('filebrowser');
  requests = 0;
  await page.clock.runFor('03:00');
  expect(requests).toBe(0);
  await edi.open();
  await expect.poll(() => requests).toBeGreaterThan(0);
});
