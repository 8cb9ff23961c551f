import { ANSWER, HOOK, missing, mockFolder, NAME, SAMPLE } from './folder';
import { expect, test } from './lab';
import { picture } from './shots';

test('each finding has place, reason and fix; errors block', async ({
  page
}) => {
  const edi = await mockFolder(page, [NAME, HOOK, ANSWER, SAMPLE]);
  const deploy = edi.dialog.getByRole('button', {
    name: 'Deploy',
    exact: true
  });

  const items = edi.dialog
    .getByRole('list', { name: 'Findings' })
    .getByRole('listitem');
  await expect(items).toHaveCount(4);
  await expect(items.first()).toContainText('model.json:2:11');
  await expect(deploy).toBeDisabled();
  await picture(page, 'checks-light');
  await page.theme.setDarkTheme();
  await picture(page, 'checks-dark');

  // Enter presses the button and leaves the dialog open; the focus goes on.
  const fix = (title: string) =>
    edi.dialog.getByRole('button', { name: `Fix: ${title}` });
  await fix("Set name to 'faulty-digits'").press('Enter');
  await expect(items).toHaveCount(3);
  await expect(edi.dialog.getByLabel('Name', { exact: true })).toHaveValue(
    'faulty-digits'
  );
  await expect(fix('Rename to on_kernel_start')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(items).toHaveCount(2);
  await expect(
    edi.dialog.getByText('2 warnings; it can be deployed as it is')
  ).toBeFocused();

  // Warnings do not block.
  await expect(deploy).toBeEnabled();
  await picture(page, 'checks-warnings');
});

test('offers to make a submission of a folder', async ({ page }) => {
  const edi = await mockFolder(page, [
    missing('model.json'),
    missing('README.md')
  ]);

  await expect(edi.dialog.getByText('Not a submission yet')).toBeVisible();
  await picture(page, 'checks-new');
  await edi.dialog
    .getByRole('button', { name: 'Create the missing files' })
    .click();
  await expect(
    edi.dialog.getByText('The checks have found nothing to mend.')
  ).toBeFocused();
  await expect(
    edi.dialog.getByRole('button', { name: 'Deploy', exact: true })
  ).toBeEnabled();
  await picture(page, 'checks-clean');
});

test('sends the chosen runtime', async ({ page }) => {
  const edi = await mockFolder(page, []);

  await edi.dialog.getByLabel('Runtime').selectOption('dlipy3');
  await expect(edi.dialog.getByText('A name of WMLA’s')).toBeVisible();
  const sent = page.waitForRequest(
    request =>
      request.method() === 'POST' && /\/deployments(\?|$)/.test(request.url())
  );
  await edi.confirm('Deploy');
  expect((await sent).postDataJSON()).toMatchObject({ runtime: 'dlipy3' });
});

test('fits a narrow window', async ({ page }) => {
  const edi = await mockFolder(page, [NAME, HOOK, ANSWER, SAMPLE]);
  await page.setViewportSize({ width: 480, height: 700 });
  await expect(
    edi.dialog.getByRole('button', { name: 'Deploy', exact: true })
  ).toBeInViewport();
  const overflow = await edi.dialog
    .getByRole('region', { name: 'Checks' })
    .evaluate(part => part.scrollWidth - part.clientWidth);
  expect(overflow).toBeLessThanOrEqual(0);
  await picture(page, 'checks-narrow');
});
