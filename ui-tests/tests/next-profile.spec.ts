import { expect, loading as test } from './lab';
import { PanelPage } from './panelPage';
import { ProfilePage } from './profilePage';
import { picture } from './shots';

/**
 * A person changes the profile of a service that must not be interrupted now.
 * Nothing is made up: server half, engine and kernel.
 */
test('saved for the next start: there after a reload, used by the next start', async ({
  page
}) => {
  test.setTimeout(180_000);
  await page.goto();
  const edi = new PanelPage(page);
  await edi.clear();
  await edi.open();
  await edi.panel
    .getByRole('button', { name: 'Deploy the ping-pong sample' })
    .click();
  await edi.expectState('pingpong', 'Ready');

  const profile = new ProfilePage(page, 'pingpong');
  const waiting = profile.form.getByRole('region', {
    name: 'Saved for the next start'
  });
  await profile.open();
  await profile.field('Kernels at least').fill('2');
  await profile.save.click();
  await profile.dialog
    .getByRole('button', { name: 'Save for next start' })
    .click();
  await expect(waiting).toContainText('goes on running as it is');
  await expect(profile.form.getByText('No unsaved edits')).toBeVisible();
  await edi.expectState('pingpong', 'Ready');
  await edi.expand('pingpong');
  await expect(
    edi.panel.getByText(/another profile is saved for the next start/)
  ).toBeVisible();

  // Another visit, whether or not JupyterLab has kept its tabs.
  await page.reload({ waitForIsReady: false });
  await page.evaluate(async () => {
    const { commands } = window.jupyterapp;
    await commands.execute('edi:open-panel');
    await commands.execute('edi:edit-profile', {
      environment: 'local',
      name: 'pingpong'
    });
  });
  await expect(waiting).toBeVisible();
  await expect(profile.field('Kernels at least')).toHaveValue('2');
  await waiting.getByText('What it changes').click();
  await expect(
    waiting.getByRole('row', { name: /policy\.kernel_min 1 .*2/ })
  ).toBeVisible();
  await picture(page, 'profile-next-start');

  // The stop gives it to the engine, and the start runs with it.
  await edi.act('Stop', 'pingpong');
  await edi.confirm('Stop');
  await edi.expectState('pingpong', 'Stopped');
  await expect(waiting).toBeHidden();
  await expect(profile.field('Kernels at least')).toHaveValue('2');
  await expect(profile.form.getByText('No unsaved edits')).toBeVisible();
  await edi.act('Start', 'pingpong');
  await expect(
    edi.panel.getByRole('button', { name: /^pingpong Ready.*2\/2 kernels/ })
  ).toBeVisible();

  // And what is saved can be thought better of.
  await profile.field('Kernels at least').fill('3');
  await profile.save.click();
  await profile.dialog
    .getByRole('button', { name: 'Save for next start' })
    .click();
  await waiting.getByRole('button', { name: 'Discard it' }).click();
  await edi.confirm('Discard');
  await expect(waiting).toBeHidden();
  await expect(profile.field('Kernels at least')).toHaveValue('2');

  await edi.act('Undeploy', 'pingpong');
  await edi.confirm('Undeploy');
  await expect(edi.panel.getByText('No deployments yet.')).toBeVisible();
});
