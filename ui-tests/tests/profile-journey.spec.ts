import { expect, test } from './lab';
import { PanelPage } from './panelPage';
import { ProfilePage } from './profilePage';
import { picture } from './shots';

/** The words of the server for a machine without a GPU, the same everywhere. */
const NO_GPU =
  'This machine has no GPU that edi can use; the profile asks for an exclusive GPU (kernel.gpu). Set kernel.gpu to no, or run it where there is a GPU.';

/**
 * A person asks for a GPU that this machine does not have, learns so, and asks
 * for something else. Nothing is made up: server half, engine and kernel.
 */
test('edit a profile: pending without a GPU, ready without the wish', async ({
  page
}) => {
  test.setTimeout(180_000);
  const edi = new PanelPage(page);
  await edi.clear();
  await edi.open();

  // Deploy the sample and stop it.
  await edi.panel
    .getByRole('button', { name: 'Deploy the ping-pong sample' })
    .click();
  await edi.expectState('pingpong', 'Ready');
  await edi.act('Stop', 'pingpong');
  await edi.confirm('Stop');
  await edi.expectState('pingpong', 'Stopped');

  // Ask for an exclusive GPU, and for more CPU and memory.
  const profile = new ProfilePage(page, 'pingpong');
  await profile.open();
  await profile.gpu('Exclusive GPU').check();
  await profile.field('CPUs requested').fill('1');
  await profile.field('Memory requested in MB').fill('2048');
  await expect(profile.field('As text')).toHaveValue(
    'ncpus=1,ncpus_limit=2,mem=2048,mem_limit=4096'
  );
  await profile.save.click();
  await expect(
    profile.dialog.getByRole('row', { name: /kernel\.gpu no .*exclusive/ })
  ).toBeVisible();
  await expect(
    profile.dialog.getByRole('row', { name: /resources .*mem=2048/ })
  ).toBeVisible();
  await profile.dialog
    .getByText('Changed lines of the document', { exact: true })
    .click();
  await expect(
    profile.dialog.getByLabel('Changed lines of the document')
  ).toContainText('"gpu": "exclusive"');
  await profile.dialog.getByRole('button', { name: 'Save' }).click();
  await expect(
    profile.form.getByText('Saved. It takes effect at the next start.')
  ).toBeVisible();
  await expect(profile.form.getByText('No unsaved edits')).toBeVisible();

  // Started, it is pending and says what is missing, in row and tab.
  await edi.act('Start', 'pingpong');
  await edi.expectState('pingpong', 'Pending');
  await expect(profile.form.getByText(NO_GPU)).toBeVisible();
  await expect(profile.form.getByText(/^Saved/)).toBeHidden();
  await edi.expand('pingpong');
  await expect(
    edi.panel.getByRole('region', { name: 'Why pingpong is pending' })
  ).toContainText(NO_GPU);
  await picture(page, 'profile-pending');

  // Without the wish it runs.
  await profile.gpu('No GPU').check();
  await expect(profile.save).toHaveText('Save and restart…');
  await profile.save.click();
  await expect(profile.dialog).toContainText('answers no requests meanwhile');
  await profile.dialog
    .getByRole('button', { name: 'Save and restart' })
    .click();
  await edi.expectState('pingpong', 'Ready');
  await expect(
    profile.form.getByText('Saved. pingpong runs with it.')
  ).toBeVisible();

  await edi.panel.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(edi.panel.getByRole('region', { name: 'Answer' })).toContainText(
    '200 OK'
  );

  await edi.act('Undeploy', 'pingpong');
  await edi.confirm('Undeploy');
  await expect(edi.panel.getByText('No deployments yet.')).toBeVisible();
  // Its profile is gone with it.
  await expect(profile.form).toBeHidden();
});
