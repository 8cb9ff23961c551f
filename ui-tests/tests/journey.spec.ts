import { expect, test } from './lab';
import { PanelPage } from './panelPage';
import { picture } from './shots';

/**
 * The journey of the product, with nothing made up: the server half starts the
 * engine, the engine starts the kernel, and a trained model answers.
 */
test('right-click a folder, and it answers', async ({ page }) => {
  test.setTimeout(120_000);
  const edi = new PanelPage(page);

  // Nothing there yet, and the panel says what to do.
  await edi.open();
  await expect(edi.panel.getByText('No deployments yet.')).toBeVisible();
  await picture(page, 'empty');

  // Right-click, Deploy to EDI…
  await page.sidebar.openTab('filebrowser');
  await page.filebrowser.openDirectory('examples');
  await edi.deployFolder('digits');
  await expect(edi.dialog.getByLabel('Name')).toHaveValue('digits');
  await expect(edi.dialog.getByText(/\d+ files?, /)).toBeVisible();
  await picture(page, 'deploy-dialog');
  await edi.confirm('Deploy');

  // It becomes Ready in the sidebar; its details are open.
  await edi.expectState('digits', 'Ready');
  const request = edi.panel.getByRole('form', { name: 'Request to digits' });
  await expect(request.getByLabel('Request', { exact: true })).toHaveValue(
    /"image"/
  );

  // Send the digit of the README: it is a 3.
  await request.getByRole('button', { name: 'Send', exact: true }).click();
  const answer = edi.panel.getByRole('region', { name: 'Answer' });
  await expect(answer).toContainText('200 OK');
  await expect(answer).toContainText('"class": 3');
  await picture(page, 'answer');

  // The keyboard does it too.
  await request.getByLabel('Request', { exact: true }).press('Control+Enter');
  await expect(answer).toContainText('"class": 3');

  // Row and payload are still there after a reload.
  await page.reload();
  await edi.expectState('digits', 'Ready');
  await expect(
    edi.panel.getByRole('form', { name: 'Request to digits' })
  ).toBeVisible();

  // Stop, undeploy, and it is empty again.
  await edi.act('Stop', 'digits');
  await edi.confirm('Stop');
  await edi.expectState('digits', 'Stopped');
  await edi.act('Undeploy', 'digits');
  await expect(
    edi.dialog.getByRole('button', { name: 'Cancel' })
  ).toBeFocused();
  await edi.confirm('Undeploy');
  await expect(edi.panel.getByText('No deployments yet.')).toBeVisible();
});

test('says what is wrong before anything is sent', async ({ page }) => {
  let sent = 0;
  await page.route(/\/deployments(\?|$)/, route => {
    sent += route.request().method() === 'POST' ? 1 : 0;
    return route.fallback();
  });
  const edi = new PanelPage(page);
  await page.sidebar.openTab('filebrowser');
  await page.filebrowser.openDirectory('broken');
  await edi.deployFolder('no-kernel');

  const checks = edi.dialog.getByRole('region', { name: 'Checks' });
  await expect(checks).toContainText('kernel.py');
  await expect(checks).toContainText('README.md');
  const deploy = edi.dialog.getByRole('button', {
    name: 'Deploy',
    exact: true
  });
  await expect(deploy).toBeDisabled();
  await picture(page, 'problems');

  // A fixed name is offered; Enter takes it.
  const name = edi.dialog.getByLabel('Name');
  await name.fill('My Kernel!');
  const fix = edi.dialog.getByRole('button', { name: 'Use “my-kernel”' });
  await fix.press('Enter');
  await expect(name).toHaveValue('my-kernel');
  await expect(deploy).toBeDisabled();
  await page.keyboard.press('Escape');
  await expect(edi.dialog).toBeHidden();
  expect(sent).toBe(0);
});
