import { readFileSync } from 'node:fs';
import * as path from 'node:path';

import { expect, test } from '@jupyterlab/galata';

import { PanelPage } from './panelPage';

test.use({ autoGoto: false });

/** Process id of the engine that the first server uses. */
function enginePid(): number {
  const file = path.join(
    process.env.EDI_UI_RUN ?? '',
    'open',
    'store',
    'engine.json'
  );
  return (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid;
}

test('an engine that is killed comes back with its deployments', async ({
  page
}) => {
  test.setTimeout(120_000);
  await page.goto();
  const edi = new PanelPage(page);
  await edi.open();
  await edi.panel
    .getByRole('button', { name: 'Deploy the ping-pong sample' })
    .click();
  await edi.expectState('pingpong', 'Ready');
  await edi.toggle('pingpong').click();

  const killed = enginePid();
  process.kill(killed, 'SIGKILL');

  // The list is never blank meanwhile, and the deployment answers again.
  await expect.poll(enginePid, { timeout: 30_000 }).not.toBe(killed);
  await edi.expectState('pingpong', 'Ready');
  await expect(async () => {
    await edi.panel.getByRole('button', { name: 'Send', exact: true }).click();
    await expect(
      edi.panel.getByRole('region', { name: 'Answer' })
    ).toContainText('200 OK', { timeout: 3_000 });
  }).toPass({ timeout: 30_000 });

  await edi.act('Undeploy', 'pingpong');
  await edi.confirm('Undeploy');
  await expect(edi.panel.getByText('No deployments yet.')).toBeVisible();
});
