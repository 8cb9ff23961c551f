import { expect, loading as test } from './lab';
import { PanelPage } from './panelPage';

test('a change made elsewhere arrives without being asked for', async ({
  page
}) => {
  test.setTimeout(120_000);
  let lists = 0;
  page.on('request', request => {
    lists += /\/local\/deployments(\?|$)/.test(request.url()) ? 1 : 0;
  });
  // The page's clock, which can be put forward; it runs by itself besides.
  await page.clock.install();
  const leased = page.waitForResponse(/\/local\/lease(\?|$)/);
  await page.goto();
  const edi = new PanelPage(page);
  await edi.open();
  await expect(edi.panel.getByText('No deployments yet.')).toBeVisible();
  expect((await leased).status()).toBe(200);

  // As another tab, a notebook or a script would.
  const root = page.url().split('lab')[0];
  const base = `${root}edi/environments/local/deployments`;
  const post = async (url: string, data: object): Promise<void> => {
    const answer = await page.request.post(url, {
      headers: { 'Content-Type': 'application/json' },
      data
    });
    expect(answer.status()).toBe(202);
  };
  await post(base, { source: { kind: 'sample', sample: 'pingpong' } });
  await edi.expectState('pingpong', 'Ready');

  // All is quiet: the server watches, and the page waits for its word. What was
  // scheduled before may still come.
  const pass = async (milliseconds: number): Promise<void> => {
    await page.clock.runFor(milliseconds);
    // Whatever the page has sent at that is answered before this.
    await page.evaluate(async url => (await fetch(url)).text(), `${root}api`);
  };
  await pass(6_000);
  lists = 0;
  // Asking at the steady pace would show in each of these.
  for (let i = 0; i < 3; i++) {
    await pass(5_500);
  }
  expect(lists).toBeLessThanOrEqual(1);

  await post(`${base}/pingpong/stop`, {});
  const stopped = edi.panel.getByRole('button', { name: /^pingpong Stopped/ });
  await expect(stopped).toBeVisible();

  await edi.act('Undeploy', 'pingpong');
  await edi.confirm('Undeploy');
  await expect(edi.panel.getByText('No deployments yet.')).toBeVisible();
});
