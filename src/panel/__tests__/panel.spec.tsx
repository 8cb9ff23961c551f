import { StateDB } from '@jupyterlab/statedb';
import {
  act,
  fireEvent,
  screen,
  waitFor,
  within
} from '@testing-library/react';

import { aDeployment, aJob, FakeClient } from '../../__tests__/fakes';
import { renderPanel } from '../../__tests__/render';
import { EdiError } from '../../api/errors';
import { CommandIDs } from '../../tokens';

describe('the panel', () => {
  let client: FakeClient;

  beforeEach(() => {
    client = new FakeClient();
  });

  const click = (element: HTMLElement): Promise<void> =>
    act(async () => {
      fireEvent.click(element);
    });

  const toggle = (name: string): HTMLElement =>
    screen.getByRole('button', { name: new RegExp(`^${name} `) });

  it('explains itself when there is nothing', async () => {
    const { executed } = await renderPanel(client);
    expect(screen.getByText('No deployments yet.')).toBeTruthy();
    fireEvent.click(
      screen.getByRole('button', { name: 'Deploy the ping-pong sample' })
    );
    expect(executed).toEqual([[CommandIDs.deploySample, {}]]);
  });

  it('does not say "none" while the engine is still starting', async () => {
    client.engine = 'starting';
    await renderPanel(client);
    expect(screen.queryByText('No deployments yet.')).toBeNull();
    expect(screen.getByText(/serving engine is starting/)).toBeTruthy();
  });

  it('says the command when the server half is missing', async () => {
    client.info.mockRejectedValue(
      new EdiError({ code: 'not_installed', message: 'x' })
    );
    await renderPanel(client);
    const alert = screen.getByRole('alert');
    expect(alert.textContent).toContain('not enabled');
    expect(
      screen.getByText('jupyter server extension enable edi_labext')
    ).toBeTruthy();
  });

  it('shows message, hint, detail and request of an error, and tries again', async () => {
    client.list.mockRejectedValueOnce(
      new EdiError({
        code: 'not_configured',
        message: 'There is no token.',
        hint: 'Set USER_ACCESS_TOKEN.',
        detail: 'the detail',
        requestId: 'r-7'
      })
    );
    await renderPanel(client);
    const { textContent } = screen.getByRole('alert');
    for (const part of [
      'There is no token.',
      'Set USER_ACCESS_TOKEN.',
      'the detail',
      'r-7'
    ]) {
      expect(textContent).toContain(part);
    }
    fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    await screen.findByText('No deployments yet.');
  });

  it('keeps the rows below a banner when a refresh fails', async () => {
    client.deployments = [aDeployment('digits')];
    const { refresh } = await renderPanel(client);
    client.list.mockRejectedValueOnce(
      new EdiError({ code: 'unreachable', message: 'x' })
    );
    await refresh();
    expect(
      screen.getByText('The Jupyter server does not answer.')
    ).toBeTruthy();
    expect(toggle('digits')).toBeTruthy();
  });

  it.each([
    ['stopped', 'Stopped'],
    ['starting', 'Starting'],
    ['ready', 'Ready'],
    ['failed', 'Failed'],
    ['stopping', 'Stopping'],
    ['unknown', 'Unknown']
  ] as const)('says %s in a word', async (state, word) => {
    client.deployments = [aDeployment('digits', { state })];
    await renderPanel(client);
    expect(toggle('digits').textContent).toContain(word);
  });

  it('runs commands on the row of the button', async () => {
    client.deployments = [aDeployment('a'), aDeployment('b')];
    const { executed } = await renderPanel(client);
    fireEvent.click(screen.getByRole('button', { name: 'Stop b' }));
    fireEvent.click(screen.getByRole('button', { name: 'Undeploy a' }));
    expect(executed).toEqual([
      [CommandIDs.stop, { environment: 'local', name: 'b' }],
      [CommandIDs.undeploy, { environment: 'local', name: 'a' }]
    ]);
    expect(screen.queryByRole('button', { name: 'Start a' })).toBeNull();
  });

  it('has one row in the tab order and moves by arrow keys', async () => {
    client.deployments = ['a', 'b', 'c'].map(name => aDeployment(name));
    await renderPanel(client);
    const order = (): number[] =>
      ['a', 'b', 'c'].map(name => toggle(name).tabIndex);
    expect(order()).toEqual([0, -1, -1]);
    act(() => toggle('a').focus());
    fireEvent.keyDown(toggle('a'), { key: 'ArrowDown' });
    expect(document.activeElement).toBe(toggle('b'));
    expect(order()).toEqual([-1, 0, -1]);
    fireEvent.keyDown(toggle('b'), { key: 'End' });
    expect(document.activeElement).toBe(toggle('c'));
    fireEvent.keyDown(toggle('c'), { key: 'ArrowDown' });
    expect(document.activeElement).toBe(toggle('c'));
  });

  it('selects the row that is right-clicked', async () => {
    client.deployments = [aDeployment('a'), aDeployment('b')];
    const { model } = await renderPanel(client);
    fireEvent.contextMenu(toggle('b'));
    expect(model.selected).toBe('b');
  });

  it('remembers the open row across a reload', async () => {
    client.deployments = [aDeployment('a'), aDeployment('b')];
    const database = new StateDB();
    const first = await renderPanel(client, database);
    await click(toggle('b'));
    await waitFor(async () =>
      expect(await database.fetch('edi_labext:panel')).toEqual({
        environment: 'local',
        expanded: 'b'
      })
    );
    first.model.dispose();
    document.body.replaceChildren();

    const second = await renderPanel(client, database);
    expect(second.state.expanded).toBe('b');
    expect(toggle('b').getAttribute('aria-expanded')).toBe('true');
  });

  it('shows progress, and cancels', async () => {
    client.allJobs = [
      aJob('1', 'digits', { fraction: 0.4, message: 'Sending 4 of 10 MB' })
    ];
    await renderPanel(client);
    expect(toggle('digits').textContent).toContain('Deploying');
    const bar = screen.getByRole('progressbar');
    expect(bar.getAttribute('value')).toBe('0.4');
    expect(screen.getByText('Sending 4 of 10 MB')).toBeTruthy();
    await click(
      screen.getByRole('button', { name: 'Cancel the work on digits' })
    );
    await screen.findByText('Cancelling…');
    expect(client.cancel).toHaveBeenCalledWith('1');
  });

  it('shows why a deployment failed, and its last log lines', async () => {
    client.deployments = [
      aDeployment('digits', {
        state: 'failed',
        reason: 'The kernel ended with exit code 1.',
        log_tail: ['one', '\u001b[31mtwo\u001b[0m']
      })
    ];
    await renderPanel(client);
    await click(toggle('digits'));
    const why = screen.getByRole('region', { name: 'Why digits failed' });
    expect(why.textContent).toContain('exit code 1');
    expect(within(why).getByLabelText(/^Last log lines/).textContent).toBe(
      'one\ntwo'
    );
    expect(screen.queryByRole('form')).toBeNull();
  });

  it('keeps a failed deploy in the list until it is dismissed', async () => {
    client.allJobs = [
      aJob('1', 'digits', {
        state: 'failed',
        error: {
          code: 'too_large',
          message: 'The folder is too large.',
          hint: 'Leave the data out.',
          field: null,
          detail: null,
          fields: null
        }
      })
    ];
    await renderPanel(client);
    await click(toggle('digits'));
    expect(screen.getByRole('alert').textContent).toContain(
      'The folder is too large.Leave the data out.'
    );
    await click(screen.getByRole('button', { name: 'Dismiss digits' }));
    expect(screen.getByText('No deployments yet.')).toBeTruthy();
  });

  it('tells screen readers what has changed, not what was there', async () => {
    client.deployments = [
      aDeployment('a', { state: 'starting' }),
      aDeployment('b')
    ];
    const { refresh } = await renderPanel(client);
    expect(screen.queryByText(/a: /)).toBeNull();
    client.deployments = [aDeployment('a'), aDeployment('b')];
    await refresh();
    expect(screen.getByText('a: Ready').getAttribute('aria-live')).toBe(
      'polite'
    );
  });

  it.each([
    '<img src=x onerror=alert(1)>',
    '<script>alert(1)</script>',
    '<a href="javascript:alert(1)">x</a>',
    '<button data-commandlinker-command="edi:undeploy">x</button>',
    '<svg onload=alert(1)>',
    '"><iframe srcdoc="<script>alert(1)</script>">'
  ])('shows %s as text wherever the server can put it', async text => {
    client.deployments = [
      aDeployment('hostile', {
        name: text,
        state: 'failed',
        reason: text,
        log_tail: [text],
        creator: text,
        runtime: text,
        kernel_path: text,
        tag: text,
        service_uri: text
      }),
      aDeployment('fine')
    ];
    client.allJobs = [aJob('1', 'fine', { kind: 'stop', message: text })];
    const { open } = await renderPanel(client);
    await open(text);
    const shown = document.body;
    expect(shown.textContent).toContain(text);
    expect(
      shown.querySelectorAll('img, script, a, iframe, svg[onload]')
    ).toHaveLength(0);
    expect(shown.querySelector('[data-commandlinker-command]')).toBeNull();
  });
});
