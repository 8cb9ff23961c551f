import type { IJupyterLabPageFixture } from '@jupyterlab/galata';

import { expect, test } from './lab';
import { MisbehavingEdi } from './misbehavingEdi';
import { PanelPage } from './panelPage';
import { picture } from './shots';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const GATEWAY = base64(
  '<html><head><title>504 Gateway Time-out</title></head><body>nginx</body></html>'
);
const LOGIN = base64('<!DOCTYPE html><html><title>Log in</title></html>');

let server: MisbehavingEdi;
test.beforeAll(async () => {
  server = await MisbehavingEdi.start();
});
test.afterAll(() => server.stop());

/** Add the EDI in the panel, with a token that is pasted there. */
async function connect(
  page: IJupyterLabPageFixture,
  token: string
): Promise<PanelPage> {
  const edi = new PanelPage(page);
  await edi.open();
  await edi.panel
    .getByRole('button', { name: 'Add, test and remove environments' })
    .click();
  const form = edi.dialog.getByRole('form', { name: 'Add an environment' });
  await form.getByLabel('Name').fill('odd');
  await form.getByLabel('Address').fill(server.url);
  await form.getByLabel('Token').fill(token);
  await form.getByRole('button', { name: 'Add' }).click();
  const asked = edi.dialog.getByRole('group', {
    name: 'Send your token there?'
  });
  await expect(asked).toContainText(server.host);
  await asked.getByRole('button', { name: 'Send it there' }).click();
  await expect(edi.dialog.getByRole('group', { name: 'odd' })).toBeVisible();
  await edi.dialog.getByRole('button', { name: 'Close', exact: true }).click();
  return edi;
}

/** What goes wrong, and what the panel must say besides the host. */
const TROUBLE: [string, string, object, RegExp, RegExp][] = [
  ['a page of a gateway', 'status', { status: 502, body: GATEWAY }, /502/, /./],
  [
    'a page to log in',
    'status',
    { status: 200, body: LOGIN },
    /not JSON .*Log in/,
    /address of the environment/
  ],
  [
    'a redirect to another host',
    'status',
    { status: 302, headers: { Location: 'https://login.example.com' } },
    /login\.example\.com/,
    /./
  ],
  ['half an answer', 'truncate', {}, /broke off/, /./],
  [
    'a connection that breaks',
    'reset',
    {},
    /connection to .* broke/,
    /See whether anything runs there/
  ]
];

test('an EDI that misbehaves: the list stays, and says what is wrong', async ({
  page
}) => {
  test.setTimeout(120_000);
  await server.accept('first');
  await server.add('digits', 'enabled');
  const edi = await connect(page, 'first');
  await edi.expectState('digits', 'Ready');

  for (const [what, kind, more, cause, step] of TROUBLE) {
    await test.step(what, async () => {
      await server.fault(kind, more);
      const banner = edi.panel.getByRole('status').first();
      await expect(async () => {
        await edi.refresh();
        await expect(banner).toContainText(cause, { timeout: 3_000 });
      }).toPass();
      await expect(banner).toContainText(server.host);
      await expect(banner).toContainText(step);
      await expect(edi.panel.getByText(/^Updated /)).toBeVisible();
      await edi.expectState('digits', 'Ready');
      await expect(
        edi.panel.getByRole('button', { name: 'Retry' })
      ).toBeVisible();
      await server.heal();
    });
  }
  await edi.panel.getByRole('button', { name: 'Retry' }).click();
  await expect(edi.panel.getByText(/^Updated /)).toBeHidden();

  await test.step('flaky: one question in two breaks', async () => {
    await server.fault('reset', { times: 1 });
    await edi.refresh();
    await edi.expectState('digits', 'Ready');
    await expect(edi.panel.getByText(/^Updated /)).toBeHidden();
  });

  await test.step('slow: the page stays usable, and the list comes', async () => {
    await server.fault('slow', { seconds: 2, times: 2 });
    await edi.refresh();
    await edi.expand('digits');
    await expect(
      edi.panel.getByLabel('Request', { exact: true })
    ).toBeVisible();
    await edi.expectState('digits', 'Ready');
  });

  await test.step('504 after it was done: not repeated, and settled', async () => {
    await server.fault('commit-status', {
      method: 'PUT',
      times: 1,
      status: 504,
      body: GATEWAY
    });
    await edi.act('Stop', 'digits');
    await edi.confirm('Stop');
    await edi.expectState('digits', 'Stopped');
  });

  await test.step('a token that is refused: pasted again, and on it goes', async () => {
    await server.accept('second');
    await edi.refresh();
    const banner = edi.panel.getByRole('status').first();
    await expect(banner).toContainText(
      `${server.host} did not accept the token`
    );
    await expect(banner).toContainText('Paste a new one');
    await expect(banner).not.toContainText('USER_ACCESS_TOKEN');
    await edi.expectState('digits', 'Stopped');
    await picture(page, 'view-token-refused');
    await edi.panel.getByRole('button', { name: 'Paste a token…' }).click();
    await edi.dialog.getByLabel(/kept in memory/).fill('second');
    await edi.dialog.getByRole('button', { name: 'Use it' }).click();
    await edi.dialog.getByRole('button', { name: 'Send it there' }).click();
    await expect(edi.panel.getByText('did not accept the token')).toBeHidden();
    await edi.expectState('digits', 'Stopped');
  });

  await edi.panel
    .getByRole('button', { name: 'Add, test and remove environments' })
    .click();
  await edi.dialog
    .getByRole('group', { name: 'odd' })
    .getByRole('button', { name: 'Remove' })
    .click();
  await expect(edi.dialog.getByRole('group', { name: 'odd' })).toBeHidden();
  await edi.dialog.getByRole('button', { name: 'Close', exact: true }).click();
});
