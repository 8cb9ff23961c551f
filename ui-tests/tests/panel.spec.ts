import { deployment, mockFacade } from './facade';
import { expect, showPanel, test } from './lab';
import { picture } from './shots';

const LOG = [
  '2026-02-11 09:14:02 kernel 1 started, pid 4711',
  'Traceback (most recent call last):',
  '  File "kernel.py", line 12, in on_kernel_start',
  '    self.weights = load("weights.json")',
  "FileNotFoundError: [Errno 2] No such file or directory: 'weights.json'",
  '\u001b[31mkernel 1 exited with status 1\u001b[0m'
];

const MIXED = [
  deployment('churn-model', { kernels_ready: 3, kernels_wanted: 3 }),
  deployment('digits', { pending_tasks: 2 }),
  deployment('fraud-detection-with-a-really-long-name-v2-2026-02', {
    state: 'stopped',
    kernels_ready: 0,
    kernels_wanted: 0,
    service_uri: ''
  }),
  deployment('sentiment', {
    state: 'failed',
    reason: 'The kernel ended with exit code 1 while it was starting.',
    kernels_ready: 0,
    log_tail: LOG
  }),
  deployment('translate', {
    state: 'starting',
    reason: 'Waiting for a kernel.',
    kernels_ready: 0
  }),
  deployment('vision', { state: 'stopping', kernels_ready: 0 })
];

test('shows every state by dot and word', async ({ page }) => {
  const edi = await showPanel(page, { deployments: MIXED });

  await edi.expectState('digits', 'Ready');
  await edi.expectState('sentiment', 'Failed');
  await edi.expectState('translate', 'Starting');
  await edi.expectState('vision', 'Stopping');
  await edi.expand('digits');
  await expect(page.getByLabel('Request', { exact: true })).toHaveValue(
    /digit/
  );
  await picture(page, 'panel-light');
  await page.theme.setDarkTheme();
  await picture(page, 'panel-dark');
  await page.theme.setTheme('JupyterLab Dark High Contrast');
  await picture(page, 'panel-high-contrast');
});

test('offers in the context menu what the row allows', async ({ page }) => {
  const edi = await showPanel(page, { deployments: MIXED });

  await edi.toggle('churn-model').click({ button: 'right' });
  const item = (name: string) =>
    page.getByRole('menuitem', { name, exact: true });
  await expect(item('Send a Request')).toBeEnabled();
  await expect(item('Start')).toBeDisabled();
  await expect(item('Stop…')).toBeEnabled();
  await item('Undeploy…').click();
  await expect(edi.dialog).toContainText('Undeploy churn-model?');
  await page.keyboard.press('Enter');
  await expect(edi.dialog).toBeHidden();
  await edi.expectState('churn-model', 'Ready');
});

test('shows progress with Cancel on the row', async ({ page }) => {
  const job = {
    id: 'j1',
    kind: 'deploy',
    environment: 'local',
    deployment: 'big-model',
    state: 'running',
    phase: 'upload',
    fraction: 0.42,
    message: 'Sending 420.0 MB of 1.00 GB',
    created: 1_760_000_000,
    finished: null,
    cancelling: false,
    error: null
  };
  const edi = await showPanel(page, { deployments: MIXED, jobs: [job] });

  await edi.expectState('big-model', 'Deploying');
  await expect(edi.row('big-model').getByRole('progressbar')).toBeVisible();
  await expect(
    page.getByText('Deploying big-model: Sending 420.0 MB of 1.00 GB')
  ).toBeVisible();
  await picture(page, 'progress');

  const asked = page.waitForRequest(
    request =>
      request.method() === 'DELETE' && /\/edi\/jobs\/j1/.test(request.url())
  );
  await page.route(/\/edi\/jobs\/j1/, route =>
    route.fulfill({ status: 202, json: { ...job, cancelling: true } })
  );
  await edi.panel
    .getByRole('button', { name: 'Cancel the work on big-model' })
    .click();
  await asked;

  const ended = { ...job, state: 'cancelled', finished: 1_760_000_001 };
  await mockFacade(page, { deployments: MIXED, jobs: [ended] });
  await edi.refresh();
  await expect(edi.row('big-model')).toBeHidden();
});

test('says why a deployment failed', async ({ page }) => {
  const edi = await showPanel(page, { deployments: MIXED });

  await edi.expand('sentiment');

  const why = edi.panel.getByRole('region', { name: 'Why sentiment failed' });
  await expect(why).toContainText('exit code 1');
  await expect(why).toContainText("No such file or directory: 'weights.json'");
  await expect(why).not.toContainText('[31m');
  await expect(
    why.getByRole('button', { name: 'Copy the log lines' })
  ).toBeVisible();
  await picture(edi.panel, 'failed');
});

test('is usable at 200 pixels', async ({ page }) => {
  const edi = await showPanel(page, { deployments: MIXED });
  await edi.expand('digits');
  const widen = await edi.narrow();
  // The toolbar puts away what no longer fits a moment after the change.
  await expect.poll(() => edi.overflow()).toBe(0);
  await picture(edi.panel, 'narrow');
  await widen();
});

test('shows 200 deployments and is walked by arrow keys', async ({ page }) => {
  const many = Array.from({ length: 200 }, (_, index) =>
    deployment(`service-${String(index).padStart(3, '0')}`, {
      state: index % 7 === 0 ? 'stopped' : 'ready'
    })
  );
  const edi = await showPanel(page, { deployments: many });

  await expect(edi.panel.getByRole('listitem')).toHaveCount(200);
  await edi.toggle('service-000').focus();
  await page.keyboard.press('ArrowDown');
  await expect(edi.toggle('service-001')).toBeFocused();
  await page.keyboard.press('End');
  await expect(edi.toggle('service-199')).toBeFocused();
  await expect(edi.toggle('service-199')).toBeInViewport();
  await page.keyboard.press('Enter');
  await expect(edi.toggle('service-199')).toHaveAttribute(
    'aria-expanded',
    'true'
  );
  await expect(
    page.getByRole('button', { name: 'Send', exact: true })
  ).toBeInViewport();
  await picture(page, 'two-hundred');
});

test('keeps the list when the server stops to answer', async ({ page }) => {
  const edi = await showPanel(page, { deployments: MIXED });
  await edi.expectState('digits', 'Ready');

  await page.route(/\/deployments(\?|$)/, route => route.abort());
  await edi.panel.getByRole('button', { name: /Refresh/ }).click();

  await expect(edi.panel.getByRole('status')).toContainText([
    'The Jupyter server does not answer.'
  ]);
  await edi.expectState('digits', 'Ready');
});
