import { readFileSync } from 'node:fs';
import * as path from 'node:path';

import { expect, loading as test } from './lab';
import { PanelPage } from './panelPage';
import type { LabServer } from './server';

/** Process id of the engine that a server uses. */
function pidOfEngine(server: LabServer): number {
  const file = path.join(server.store, 'engine.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid;
}

// On a page of its own: one that was told of a made-up lease asks for a real one 30 s later.
test('an engine that is killed comes back with its deployments', async ({
  page,
  server
}) => {
  test.setTimeout(120_000);
  const enginePid = (): number => pidOfEngine(server);
  await page.goto();
  const edi = new PanelPage(page);
  await edi.open();
  await edi.panel
    .getByRole('button', { name: 'Deploy the ping-pong sample' })
    .click();
  await edi.expectState('pingpong', 'Ready');
  await edi.expand('pingpong');

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
