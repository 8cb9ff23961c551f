import { deployment } from './facade';
import { expect, showPanel, test } from './lab';
import { mockProfile } from './profileFacade';
import { ProfilePage } from './profilePage';
import { picture } from './shots';

const REASON =
  'This machine has no GPU that edi can use; the profile asks for an exclusive GPU (kernel.gpu). Set kernel.gpu to no, or run it where there is a GPU.';

const STOPPED = deployment('digits', {
  state: 'stopped',
  kernels_ready: 0,
  kernels_wanted: 0,
  service_uri: '',
  gpu: 'no'
});

test('edits a profile and shows the changes before it is saved', async ({
  page
}) => {
  const { saved } = await mockProfile(page, 'digits');
  await showPanel(page, { deployments: [STOPPED] });
  const profile = new ProfilePage(page, 'digits');
  await profile.open();

  await expect(profile.save).toHaveAttribute('aria-disabled', 'true');
  await picture(page, 'profile-light');

  // The pair that counts follows the GPU mode.
  await profile.gpu('Exclusive GPU').check();
  await expect(
    profile.form.getByText('counts with an exclusive GPU')
  ).toBeVisible();
  await profile.gpu('Shared GPU').check();
  await expect(
    profile.form.getByText('counts with a shared GPU')
  ).toBeVisible();

  // Boxes and text are the same thing.
  await profile.field('Memory limit in MB').fill('8192');
  await expect(profile.form.getByText('MB = 8 GB')).toBeVisible();
  const text = profile.field('As text');
  await expect(text).toHaveValue(
    'ncpus=0.5,ncpus_limit=2,mem=1024,mem_limit=8192'
  );
  await text.fill('ncpus=1,ncpus_limit=4,mem=2048,mem_limit=8192');
  await expect(profile.field('CPU limit')).toHaveValue('4');

  // Raising the least lifts the most.
  await profile.form.getByLabel('Kernels at most: no limit').check();
  await profile.form.getByLabel('Kernels at most: no limit').uncheck();
  await profile.field('Kernels at most').fill('3');
  await profile.field('Kernels at least').fill('5');
  await profile.field('Kernels at least').blur();
  await expect(profile.field('Kernels at most')).toHaveValue('5');

  await profile.form.getByRole('button', { name: 'Add a variable' }).click();
  await expect(profile.field('Name of variable 2')).toBeFocused();
  await page.keyboard.type('LOG_FORMAT');
  await profile.field('Value of variable 2').fill('json');
  await picture(page, 'profile-edited');

  await profile.save.click();
  await expect(profile.dialog).toContainText('Save the profile of digits?');
  await expect(profile.dialog).toContainText('at the next start');
  await expect(
    profile.dialog.getByRole('row', { name: /kernel\.gpu.*no.*shared/ })
  ).toBeVisible();
  await picture(page, 'profile-diff');
  await profile.dialog
    .getByText('Changed lines of the document', { exact: true })
    .click();
  await expect(
    profile.dialog.getByLabel('Changed lines of the document')
  ).toContainText('+    "gpu": "shared"');
  await picture(page, 'profile-diff-lines');
  await page.keyboard.press('Escape');
  expect(saved).toEqual([]);

  await profile.save.click();
  await profile.dialog.getByRole('button', { name: 'Save' }).click();
  await expect.poll(() => saved.length).toBe(1);
  expect(saved[0]).toMatchObject({
    restart: false,
    revision: 'r1',
    profile: {
      kernel: { gpu: 'shared' },
      policy: { kernel_min: 5, kernel_max: 5 },
      security: { ssl: { enable: true } }
    }
  });
});

test('says what needs attention, and leads there', async ({ page }) => {
  await mockProfile(page, 'digits');
  await showPanel(page, { deployments: [STOPPED] });
  const profile = new ProfilePage(page, 'digits');
  await profile.open();

  await profile.field('Memory requested in MB').fill('8192');
  await profile.field('Request timeout').fill('0');
  await profile.form.getByRole('button', { name: 'Add a variable' }).click();
  await page.keyboard.type('MSD_ID');
  await profile.save.click();

  const alert = profile.form.getByRole('alert');
  await expect(alert).toContainText('3 fields need attention');
  await picture(page, 'profile-errors');
  await alert.getByRole('button', { name: 'Request timeout' }).click();
  const timeout = profile.field('Request timeout');
  await expect(timeout).toBeFocused();
  await expect(timeout).toHaveAccessibleDescription(/Must be -1 for no limit/);

  await timeout.fill('30');
  await expect(alert).toContainText('2 fields need attention');
  await alert.getByRole('button', { name: 'CPU and memory' }).click();
  await expect(profile.field('As text')).toBeFocused();
  await profile.field('Memory requested in MB').fill('512');
  await profile.form
    .getByRole('button', { name: 'Remove variable MSD_ID' })
    .click();
  await expect(alert).toBeHidden();
});

test('puts what the server finds under the field', async ({ page }) => {
  await mockProfile(page, 'digits', {
    problems: [
      { field: 'policy.kernel_min', message: 'Must fit the plan’s slots.' },
      { field: 'resource_allocation.consumer', message: 'Is missing.' }
    ]
  });
  await showPanel(page, { deployments: [STOPPED] });
  const profile = new ProfilePage(page, 'digits');
  await profile.open();

  await profile.field('Kernels at least').fill('0');
  await expect(profile.form.getByText('No kernel runs ahead')).toBeVisible();
  await profile.save.click();
  await expect(profile.form.getByRole('alert')).toContainText(
    'resource_allocation.consumer: Is missing.'
  );
  await expect(profile.field('Kernels at least')).toHaveAccessibleDescription(
    /Must fit the plan/
  );
});

test('keeps edits over a reload and asks before they are lost', async ({
  page
}) => {
  await mockProfile(page, 'digits', { started: true });
  await showPanel(page, { deployments: [deployment('digits')] });
  const profile = new ProfilePage(page, 'digits');
  await profile.open();

  await profile.gpu('Exclusive GPU').check();
  await expect(profile.form.getByText('1 unsaved edit')).toBeVisible();
  // JupyterLab writes its state down a moment later.
  await page.waitForResponse(
    response =>
      response.url().includes('/workspaces/') &&
      (response.request().postData() ?? '').includes('exclusive')
  );
  await page.reload();
  await expect(profile.gpu('Exclusive GPU')).toBeChecked();
  await expect(
    profile.form.getByRole('button', { name: 'Save and restart…' })
  ).toBeEnabled();

  // It runs, so saving means a restart, or waiting for the next one.
  await profile.save.click();
  await expect(
    profile.dialog.getByRole('button', { name: 'Save and restart' })
  ).toBeVisible();
  await expect(
    profile.dialog.getByRole('button', { name: 'Save for next start' })
  ).toBeVisible();
  await picture(page, 'profile-restart');
  await profile.dialog
    .getByRole('button', { name: 'Cancel', exact: true })
    .click();

  const close = page
    .getByRole('tab', { name: 'Profile: digits' })
    .locator('.lm-TabBar-tabCloseIcon');
  await close.click();
  await expect(profile.dialog).toContainText('Your edits are not saved');
  await profile.dialog.getByRole('button', { name: 'Cancel' }).click();
  await close.click();
  await profile.dialog.getByRole('button', { name: 'Keep' }).click();
  await expect(profile.form).toBeHidden();
  await profile.open();
  await expect(profile.gpu('Exclusive GPU')).toBeChecked();
  await close.click();
  await profile.dialog.getByRole('button', { name: 'Discard' }).click();
  await profile.open();
  await expect(profile.gpu('No GPU')).toBeChecked();
});

test('shows GPU, waiting changes and what is pending', async ({ page }) => {
  await mockProfile(page, 'digits', {
    started: true,
    profile: { kernel: { gpu: 'exclusive' } }
  });
  const edi = await showPanel(page, {
    deployments: [
      deployment('churn-model', { gpu: 'shared', profile_changed: true }),
      deployment('digits', {
        state: 'pending',
        reason: REASON,
        gpu: 'exclusive',
        kernels_ready: 0
      })
    ]
  });

  await expect(edi.panel.getByText('Changes wait for restart')).toBeVisible();
  await expect(edi.panel.getByText('GPU shared')).toBeVisible();
  const row = edi.panel.getByRole('button', { name: /^digits Pending/ });
  await row.click();
  await expect(
    edi.panel.getByRole('region', { name: 'Why digits is pending' })
  ).toContainText(REASON);
  await edi.panel.getByRole('button', { name: 'Edit profile…' }).click();
  const profile = new ProfilePage(page, 'digits');
  await expect(profile.form.getByText(REASON)).toBeVisible();
  await page.theme.setDarkTheme();
  await picture(page, 'profile-dark');
  await page.theme.setTheme('JupyterLab Dark High Contrast');
  await picture(page, 'profile-high-contrast');
  await page.theme.setLightTheme();
  await page.setViewportSize({ width: 640, height: 900 });
  const overflow = await profile.form.evaluate(form =>
    [form, ...form.querySelectorAll('*')].map(
      part => part.getBoundingClientRect().right
    )
  );
  const right = await profile.form.evaluate(
    form => form.getBoundingClientRect().right
  );
  expect(Math.max(...overflow)).toBeLessThanOrEqual(right + 1);
  await picture(page, 'profile-narrow');
});
