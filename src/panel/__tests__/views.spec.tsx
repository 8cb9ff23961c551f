import { act, fireEvent, screen, waitFor } from '@testing-library/react';

import { aDeployment, anEnvironment, FakeClient } from '../../__tests__/fakes';
import { type IRenderedPanel, renderPanel } from '../../__tests__/render';
import type { ErrorInfo } from '../../api/wire';
import { EdiError } from '../../api/errors';
import { VERSION } from '../../version';

const aProblem = (code: string, message: string, hint: string): ErrorInfo => ({
  code,
  message,
  hint,
  field: null,
  detail: null,
  fields: null
});

const EXPIRED = aProblem(
  'token_expired',
  'The token of WMLA expired at 2026-02-11 14:02 UTC.',
  'Get a new one, set USER_ACCESS_TOKEN to it and restart JupyterLab.'
);

const refused = (): EdiError =>
  new EdiError({
    code: 'upstream_unauthorized',
    message: 'wmla.example.com did not accept the token.',
    status: 502
  });

describe('the panel says what to do', () => {
  let client: FakeClient;
  let panel: IRenderedPanel;

  beforeEach(() => {
    client = new FakeClient();
  });

  afterEach(() => {
    panel.model.dispose();
    jest.useRealTimers();
  });

  const show = async (): Promise<void> => {
    panel = await renderPanel(client);
  };
  const alert = (): string | null => screen.getByRole('alert').textContent;
  const button = (name: string): HTMLElement | null =>
    screen.queryByRole('button', { name });
  const press = (name: string): Promise<void> =>
    act(async () => {
      fireEvent.click(button(name)!);
    });

  it('when there is no server half', async () => {
    client.info.mockRejectedValue(
      new EdiError({ code: 'not_installed', message: '', status: 404 })
    );
    await show();
    expect(alert()).toContain('not enabled');
    expect(
      screen.getByText('jupyter server extension enable edi_labext')
    ).toBeTruthy();
    expect(screen.getByText('pip install edi_labext')).toBeTruthy();

    expect(button('Copy the command: pip install edi_labext')).toBeTruthy();

    client.info.mockImplementation(new FakeClient().info);
    await press('Try again');
    await screen.findByText('No deployments yet.');
  });

  it('when Jupyter wants to know who one is', async () => {
    client.info.mockRejectedValue(
      new EdiError({ code: 'signed_out', message: '', status: 403 })
    );
    await show();
    expect(alert()).toContain('You are signed out of the Jupyter server.');
    expect(button('Reload the page')).toBeTruthy();
  });

  describe('when the halves are of two versions', () => {
    it('and the page is the older one', async () => {
      client.serverExtension = {
        running: '99.0.0',
        installed: '99.0.0',
        frontend: '99.0.0'
      };
      await show();
      expect(alert()).toContain(`This page${VERSION} · older`);
      expect(alert()).toContain('Jupyter server99.0.0');
      expect(button('Reload the page')).toBeTruthy();
    });

    it('and the server is the older one', async () => {
      client.serverExtension = {
        running: '0.0.1',
        installed: VERSION,
        frontend: VERSION
      };
      await show();
      expect(alert()).toContain('Jupyter server0.0.1 · older');
      expect(alert()).toContain('Restart the Jupyter server');

      client.serverExtension = { ...client.serverExtension, running: VERSION };
      await press('Check again');
      await screen.findByText('No deployments yet.');
    });

    it('and neither can do without an installation', async () => {
      client.serverExtension = {
        running: '99.0.0',
        installed: '99.0.0',
        frontend: VERSION
      };
      await show();
      expect(screen.getByText('pip install edi_labext==99.0.0')).toBeTruthy();
      expect(
        button('Copy the command: pip install edi_labext==99.0.0')
      ).toBeTruthy();
    });

    it('and shows the list nevertheless to who insists', async () => {
      client.serverExtension = { ...client.serverExtension, running: '99.0.0' };
      client.deployments = [aDeployment('digits')];
      await show();
      expect(screen.queryByRole('listitem')).toBeNull();
      await press('Show the list anyway');
      expect(screen.getByRole('listitem')).toBeTruthy();

      client.serverExtension = { ...client.serverExtension, running: '99.0.1' };
      await act(() => panel.model.learn());
      expect(alert()).toContain('99.0.1');
    });
  });

  describe('about the token of a remote environment', () => {
    beforeEach(() => {
      client.environments = [
        anEnvironment('wmla', {
          title: 'WMLA',
          kind: 'remote',
          token_source: 'variable',
          token_variable: 'USER_ACCESS_TOKEN'
        }),
        anEnvironment('local', { title: 'Local' })
      ];
    });

    it.each([
      ['no_token', 'USER_ACCESS_TOKEN is not set.'],
      ['bad_token', 'USER_ACCESS_TOKEN does not hold a token.'],
      ['token_expired', EXPIRED.message]
    ])('that cannot be used: %s', async (code, message) => {
      client.environments[0].problem = aProblem(code, message, 'Set it.');
      client.list.mockRejectedValue(refused());
      await show();
      // The settings say more than the refusal does.
      expect(alert()).toContain(message);
      expect(alert()).toContain('Set it.');
      expect(
        screen.getByText(/^read -rs USER_ACCESS_TOKEN; export/)
      ).toBeTruthy();
    });

    it('that the EDI does not accept', async () => {
      client.list.mockRejectedValue(refused());
      await show();
      expect(alert()).toContain('did not accept the token');
      expect(screen.getByText(/^read -rs USER_ACCESS_TOKEN/)).toBeTruthy();
    });

    it.each([
      ['variable', false, 'Read USER_ACCESS_TOKEN again'],
      ['file', false, 'Read the file again'],
      ['command', false, 'Run the program again'],
      ['login', false, 'Log in again'],
      ['session', false, 'Try again'],
      ['file', true, 'Try again']
    ])('in the words of its source: %s, pasted %s', async (...source) => {
      const [token_source, token_pasted, again] = source;
      client.environments[0] = {
        ...client.environments[0],
        token_source,
        token_pasted,
        token_variable: token_source === 'variable' ? 'USER_ACCESS_TOKEN' : null
      };
      client.list.mockRejectedValueOnce(refused());
      await show();
      expect(button('Paste a token…')).toBeTruthy();
      expect(screen.queryByText(/^read -rs/) !== null).toBe(
        token_source === 'variable'
      );
      const forget = { name: 'Forget the pasted token' };
      expect(screen.queryAllByRole('button', forget)).toHaveLength(
        token_pasted ? 1 : 0
      );
      await press(again);
      await screen.findByText('No deployments yet.');
      expect(client.info).toHaveBeenCalledTimes(2);
    });

    it('and can forget a pasted one', async () => {
      client.environments[0] = {
        ...client.environments[0],
        token_pasted: true
      };
      client.list.mockRejectedValueOnce(refused());
      await show();
      await press('Forget the pasted token');
      expect(client.forgetToken).toHaveBeenCalledWith('wmla');
      await screen.findByText('No deployments yet.');
    });

    it('and leads to the environment that works', async () => {
      client.environments[0].problem = EXPIRED;
      client.list.mockRejectedValueOnce(refused());
      await show();
      await press('Show Local');
      expect(panel.model.environment?.id).toBe('local');
      await screen.findByText('No deployments yet.');
    });

    it('that expires while the list shows, which stays', async () => {
      client.deployments = [aDeployment('digits')];
      await show();
      client.environments[0].problem = EXPIRED;
      client.list.mockRejectedValue(refused());
      await panel.refresh();
      await panel.refresh();
      expect(screen.getByRole('listitem')).toBeTruthy();
      const banner = screen.getAllByRole('status')[0];
      expect(banner.textContent).toContain(EXPIRED.message);
      expect(banner.textContent).toContain(EXPIRED.hint!);
    });

    it('that will soon end', async () => {
      const token_expires = Date.now() / 1000 + 12 * 60;
      client.environments[0] = { ...client.environments[0], token_expires };
      await show();
      expect(
        screen.getByText('The token of WMLA expires in 12 min.')
      ).toBeTruthy();
    });

    it.each([
      ['has long to go', Date.now() / 1000 + 3600],
      ['does not say when it ends', null]
    ])('but not of one that %s', async (_, token_expires) => {
      client.environments[0] = { ...client.environments[0], token_expires };
      await show();
      expect(screen.queryByText(/The token of/)).toBeNull();
    });
  });

  describe('when there is no answer', () => {
    const outage = (): EdiError =>
      new EdiError({ code: 'unreachable', message: 'gone' });

    it('from the beginning', async () => {
      client.info.mockRejectedValue(outage());
      await show();
      expect(alert()).toContain('The Jupyter server does not answer.');
      expect(button('Try again')).toBeTruthy();
    });

    it('any more: the list stays, marked with its age', async () => {
      client.deployments = [aDeployment('digits')];
      await show();
      client.list.mockRejectedValue(outage());
      await panel.refresh();
      const list = screen.getByRole('list', { name: 'Deployments' });
      expect(list.classList).toContain('edi-mod-stale');
      expect(screen.getByText('Updated just now')).toBeTruthy();

      client.list.mockReset();
      client.list.mockImplementation(async environment =>
        new FakeClient().list(environment)
      );
      await press('Retry');
      await waitFor(() => expect(screen.queryByText(/^Updated/)).toBeNull());
    });

    it('counts the minutes without asking', async () => {
      client.deployments = [aDeployment('digits')];
      await show();
      jest.useFakeTimers();
      client.list.mockRejectedValue(outage());
      await act(async () => {
        void panel.model.refresh();
        await jest.advanceTimersByTimeAsync(1);
      });
      panel.model.isActive = false;
      client.list.mockClear();
      await act(() => jest.advanceTimersByTimeAsync(3 * 60_000));
      expect(screen.getByText('Updated 3 min ago')).toBeTruthy();
      expect(client.list).not.toHaveBeenCalled();
    });
  });
});
