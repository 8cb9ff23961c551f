import { expect, type IJupyterLabPageFixture, loading } from './lab';
import { PanelPage } from './panelPage';

/** The server as people have it, and a page that nobody has prepared. */
const test = loading.extend({
  baseURL: async ({ secureServer }, use) => {
    await use(secureServer.url);
  },
  page: async ({ browser }, use) => {
    const context = await browser.newContext();
    await use((await context.newPage()) as unknown as IJupyterLabPageFixture);
    await context.close();
  }
});

test('works on a server with token and XSRF check', async ({
  page,
  secureServer
}) => {
  test.setTimeout(120_000);
  const { url, token } = secureServer;
  expect(token.length).toBeGreaterThanOrEqual(32);

  await page.goto(`${url}lab?token=${token}`);
  const edi = new PanelPage(page);
  await edi.open();
  await edi.panel
    .getByRole('button', { name: 'Deploy the ping-pong sample' })
    .click();
  await edi.expectState('pingpong', 'Ready');
  await edi.expand('pingpong');
  await edi.panel.getByRole('button', { name: 'Send', exact: true }).click();
  await expect(edi.panel.getByRole('region', { name: 'Answer' })).toContainText(
    '200 OK'
  );

  await edi.act('Undeploy', 'pingpong');
  await edi.confirm('Undeploy');
  await expect(edi.panel.getByText('No deployments yet.')).toBeVisible();
});

test('refuses what has no token, and what has no XSRF header', async ({
  page,
  request,
  secureServer
}) => {
  const { url, token } = secureServer;
  const list = `${url}edi/environments/local/deployments`;
  const deploy = {
    headers: { 'Content-Type': 'application/json' },
    data: { source: { kind: 'sample', sample: 'pingpong' } }
  };

  for (const answer of [
    await request.get(`${url}edi/info`),
    await request.get(list),
    await request.post(list, deploy)
  ]) {
    expect(answer.status()).toBe(403);
  }

  // A page of another site has the cookie sent along, but not the header.
  await page.goto(`${url}lab?token=${token}`);
  const read = await page.request.get(list);
  expect(read.status()).toBe(200);
  const write = await page.request.post(list, deploy);
  expect(write.status()).toBe(403);
});
