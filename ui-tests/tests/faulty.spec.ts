import { expect, test } from './lab';
import { PanelPage } from './panelPage';
import { picture } from './shots';

/** Nothing made up: the checks read the folder, and the fixes write to it. */
test('a faulty folder is mended by buttons, and answers', async ({ page }) => {
  test.setTimeout(120_000);
  const edi = new PanelPage(page);
  await page.sidebar.openTab('filebrowser');
  await page.filebrowser.openDirectory('examples');
  await edi.deployFolder('faulty');

  const { dialog } = edi;
  const deploy = dialog.getByRole('button', { name: 'Deploy', exact: true });
  const findings = dialog
    .getByRole('list', { name: 'Findings' })
    .getByRole('listitem');
  const fixes = dialog.getByRole('button', { name: /^Fix: / });
  await expect(findings.filter({ hasText: 'on_kernal_start;' })).toContainText(
    'kernel.py:10:5'
  );
  await expect(findings.filter({ hasText: 'kernal.py' })).toContainText(
    'model.json:3:18'
  );
  await expect(deploy).toBeDisabled();
  await picture(page, 'faulty');

  // Every press takes one finding away, and the focus is on the next button.
  await expect(fixes).not.toHaveCount(0);
  for (let left = await findings.count(); await fixes.count(); left--) {
    await fixes.first().click();
    await expect(findings).toHaveCount(left - 1);
  }
  await expect(dialog.getByText(/it can be deployed as it is$/)).toBeFocused();
  // Nobody has typed a name, so it is that of the mended model.json.
  await expect(dialog.getByLabel('Name', { exact: true })).toHaveValue(
    'faulty-digits'
  );
  await expect(deploy).toBeEnabled();
  await picture(page, 'faulty-mended');

  await edi.confirm('Deploy');
  await edi.expectState('faulty-digits', 'Ready');
  await edi.panel
    .getByLabel('Request', { exact: true })
    .fill('{"numbers": [1, 2, 3]}');
  await edi.panel.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(edi.panel.getByRole('region', { name: 'Answer' })).toContainText(
    '"sum": 6'
  );

  await edi.act('Restart', 'faulty-digits');
  await edi.confirm('Restart');
  await edi.expectState('faulty-digits', 'Ready');
  await edi.act('Undeploy', 'faulty-digits');
  await edi.confirm('Undeploy');
  await expect(edi.panel.getByText('No deployments yet.')).toBeVisible();
});
