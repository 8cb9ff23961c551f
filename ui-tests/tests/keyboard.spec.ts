import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';

import { expect, test } from './lab';
import { PanelPage } from './panelPage';
import { ProfilePage } from './profilePage';

/** More stops of the Tab key than any way here has. */
const FAR = 150;

/** Go there with the Tab key. */
async function goTo(
  page: IJupyterLabPageFixture,
  target: Locator,
  key: 'Tab' | 'Shift+Tab' = 'Tab'
): Promise<void> {
  await expect(target).toBeVisible();
  for (let stops = 0; stops < FAR; stops++) {
    const isThere = await target.evaluate(
      node => node === document.activeElement
    );
    if (isThere) {
      break;
    }
    await page.keyboard.press(key);
  }
  await expect(target).toBeFocused();
}

/** Go there with the Tab key, and see that one can see where one is. */
async function tabTo(
  page: IJupyterLabPageFixture,
  target: Locator,
  key: 'Tab' | 'Shift+Tab' = 'Tab'
): Promise<void> {
  await goTo(page, target, key);
  const isSeen = await target.evaluate(node => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(node);
    return (
      (outlineStyle !== 'none' && outlineWidth !== '0px') ||
      boxShadow !== 'none'
    );
  });
  expect(isSeen, 'the focus shows').toBe(true);
}

test('from the menu of a folder to undeploy with the keyboard alone', async ({
  page
}) => {
  test.setTimeout(150_000);
  const edi = new PanelPage(page);
  await edi.clear();
  await edi.open();
  await edi.refresh();
  await page.sidebar.openTab('filebrowser');
  await page.filebrowser.openDirectory('examples');
  // How JupyterLab shows the focus of its list is its own affair.
  const first = page.locator('.jp-DirListing-itemText', { hasText: 'digits' });
  await goTo(page, first);
  const folder = page.getByRole('listitem', { name: /^Name: pingpong\b/ });
  await expect(async () => {
    await page.keyboard.press('ArrowDown');
    await expect(folder).toHaveClass(/jp-mod-selected/, { timeout: 200 });
  }).toPass();
  await page.keyboard.press('Shift+F10');
  const entry = page.locator('.lm-Menu-item.lm-mod-active', {
    hasText: 'Deploy to EDI…'
  });
  await expect(async () => {
    await page.keyboard.press('ArrowDown');
    await expect(entry).toBeVisible({ timeout: 50 });
  }).toPass();
  await page.keyboard.press('Enter');
  await expect(edi.dialog.getByLabel('Name')).toBeFocused();
  await tabTo(page, edi.dialog.getByRole('button', { name: 'Deploy' }));
  await page.keyboard.press('Enter');
  await edi.expectState('pingpong', 'Ready');

  // Its details are open; the row closes and opens them.
  const send = edi.panel.getByRole('button', { name: 'Send', exact: true });
  await expect(send).toBeVisible();
  await tabTo(page, edi.toggle('pingpong'));
  await page.keyboard.press('Enter');
  await expect(send).toBeHidden();
  await page.keyboard.press('Enter');
  await tabTo(page, send);
  await page.keyboard.press('Enter');
  await expect(edi.panel.getByRole('region', { name: 'Answer' })).toContainText(
    '200 OK'
  );

  const row = edi.row('pingpong');
  await tabTo(
    page,
    row.getByRole('button', { name: 'Edit the profile of pingpong' }),
    'Shift+Tab'
  );
  await page.keyboard.press('Enter');
  const profile = new ProfilePage(page, 'pingpong');
  await tabTo(page, profile.gpu('No GPU'));
  await page.keyboard.press('ArrowDown');
  await expect(profile.gpu('No GPU')).not.toBeChecked();
  await tabTo(page, profile.save, 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(
    profile.dialog.getByRole('row', { name: /kernel\.gpu no / })
  ).toBeVisible();
  await expect(
    profile.dialog.getByRole('button', { name: 'Cancel' })
  ).toBeFocused();
  await tabTo(
    page,
    profile.dialog.getByRole('button', { name: 'Save for next start' })
  );
  await page.keyboard.press('Enter');
  await expect(
    profile.form.getByRole('region', { name: 'Saved for the next start' })
  ).toBeVisible();

  await tabTo(
    page,
    row.getByRole('button', { name: 'Stop pingpong' }),
    'Shift+Tab'
  );
  await page.keyboard.press('Enter');
  await tabTo(page, edi.dialog.getByRole('button', { name: 'Stop' }));
  await page.keyboard.press('Enter');
  await edi.expectState('pingpong', 'Stopped');
  await tabTo(page, row.getByRole('button', { name: 'Undeploy pingpong' }));
  await page.keyboard.press('Enter');
  await tabTo(page, edi.dialog.getByRole('button', { name: 'Undeploy' }));
  await page.keyboard.press('Enter');
  await expect(edi.panel.getByText('No deployments yet.')).toBeVisible();
});
