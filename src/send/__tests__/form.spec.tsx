import { StateDB } from '@jupyterlab/statedb';
import { act, fireEvent, screen, waitFor } from '@testing-library/react';

import { aDeployment, FakeClient } from '../../__tests__/fakes';
import { type IRenderedPanel, renderPanel } from '../../__tests__/render';
import { EdiError } from '../../api/errors';
import type { DeploymentState } from '../../api/wire';
import { CommandIDs } from '../../tokens';

describe('Send', () => {
  let client: FakeClient;
  let panel: IRenderedPanel;

  const open = async (
    state: DeploymentState = 'ready',
    database = new StateDB()
  ): Promise<void> => {
    client.deployments = [aDeployment('digits', { state })];
    panel = await renderPanel(client, database);
    await panel.open('digits');
  };

  beforeEach(() => {
    client = new FakeClient();
  });

  const editor = (): HTMLTextAreaElement =>
    screen.getByLabelText<HTMLTextAreaElement>('Request');
  const button = (name: string): HTMLButtonElement =>
    screen.getByRole<HTMLButtonElement>('button', { name });

  it('starts with the request of the README', async () => {
    await open();
    await waitFor(() => expect(editor().value).toBe('{"sample": 1}'));
  });

  it('asks again for the request of the README once the engine is back', async () => {
    client.samplePayload.mockRejectedValueOnce(
      new EdiError({ code: 'engine_starting', message: 'x', status: 503 })
    );
    await open();
    expect(editor().value).toBe('');
    client.deployments = [aDeployment('digits', { started_at: 2 })];
    await panel.refresh();
    await waitFor(() => expect(editor().value).toBe('{"sample": 1}'));
    expect(client.samplePayload).toHaveBeenCalledTimes(2);
  });

  it('sends nothing before the request of the README is there', async () => {
    let arrive = (): void => undefined;
    client.samplePayload.mockImplementationOnce(
      () =>
        new Promise(resolve => {
          arrive = () => resolve({ payload: '{"late": 1}' });
        })
    );
    await open();
    expect(button('Send').disabled).toBe(true);
    expect(editor().placeholder).toBe('Reading the README’s request…');
    await act(async () => arrive());
    await waitFor(() => expect(button('Send').disabled).toBe(false));
    expect(editor().value).toBe('{"late": 1}');
  });

  it('lets a request be written and sent while the README is being read', async () => {
    client.samplePayload.mockImplementationOnce(
      () => new Promise(() => undefined)
    );
    await open();
    fireEvent.change(editor(), { target: { value: '{"mine": 1}' } });
    fireEvent.click(button('Send'));
    await screen.findByRole('region', { name: 'Answer' });
    expect(client.infer.mock.calls[0][2]).toBe('{"mine": 1}');
  });

  it('does not ask again for a README that cannot be had', async () => {
    client.samplePayload.mockRejectedValueOnce(
      new EdiError({ code: 'forbidden', message: 'x', status: 403 })
    );
    await open();
    client.deployments = [aDeployment('digits', { started_at: 2 })];
    await panel.refresh();
    expect(editor().value).toBe('');
    expect(client.samplePayload).toHaveBeenCalledTimes(1);
  });

  it('shows status, time, size and the answer laid out', async () => {
    await open();
    fireEvent.change(editor(), { target: { value: '{"n":1}' } });
    fireEvent.click(button('Send'));
    const answer = await screen.findByRole('region', { name: 'Answer' });
    expect(answer.textContent).toContain('200 OK · 12 ms · 7 B');
    expect(answer.textContent).toContain('{"n": 1}');
    expect(client.infer.mock.calls[0].slice(0, 3)).toEqual([
      'local',
      'digits',
      '{"n":1}'
    ]);
  });

  it('shows what went wrong inside the service', async () => {
    await open();
    client.infer.mockResolvedValueOnce({
      status: 502,
      ok: false,
      content_type: 'application/json',
      body: '',
      size: 0,
      truncated: false,
      elapsed_ms: 3,
      error: {
        code: 'kernel_exception',
        message: 'The kernel raised ValueError.',
        hint: 'Look at its log.',
        field: null,
        detail: null
      }
    } as never);
    fireEvent.click(button('Send'));
    const answer = await screen.findByRole('region', { name: 'Answer' });
    expect(answer.textContent).toContain('502 Failed');
    expect(answer.textContent).toContain('The kernel raised ValueError.');
  });

  it('shows when the server cannot be reached', async () => {
    await open();
    client.infer.mockRejectedValueOnce(
      new EdiError({ code: 'unreachable', message: 'x' })
    );
    fireEvent.click(button('Send'));
    expect((await screen.findByRole('alert')).textContent).toContain(
      'The Jupyter server does not answer.'
    );
  });

  it('sends by Ctrl+Enter, and Esc cancels without an error', async () => {
    await open();
    let signal: AbortSignal | undefined;
    client.infer.mockImplementationOnce((_e, _n, _p, given) => {
      signal = given;
      return new Promise((_, reject) => {
        given?.addEventListener('abort', () =>
          reject(new EdiError({ code: 'cancelled', message: 'x' }))
        );
      });
    });
    fireEvent.keyDown(editor(), { key: 'Enter', ctrlKey: true });
    expect(await screen.findByText('Sending…')).toBeTruthy();
    expect(button('Send').disabled).toBe(true);
    fireEvent.keyDown(editor(), { key: 'Escape' });
    await waitFor(() => expect(button('Send').disabled).toBe(false));
    expect(signal?.aborted).toBe(true);
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('says that something is not JSON, and sends it all the same', async () => {
    await open();
    fireEvent.change(editor(), { target: { value: 'ping' } });
    expect(screen.getByText(/This is not JSON/)).toBeTruthy();
    fireEvent.click(button('Send'));
    await screen.findByRole('region', { name: 'Answer' });
    expect(client.infer.mock.calls[0][2]).toBe('ping');
  });

  it('starts a stopped deployment and sends when it is ready', async () => {
    await open('stopped');
    fireEvent.change(editor(), { target: { value: '{"n":2}' } });
    await act(async () => {
      fireEvent.click(button('Start and send'));
    });
    expect(panel.executed).toEqual([
      [CommandIDs.start, { environment: 'local', name: 'digits' }]
    ]);
    expect(await screen.findByText(/as soon as it is ready/)).toBeTruthy();
    expect(client.infer).not.toHaveBeenCalled();
    client.deployments = [aDeployment('digits')];
    client.change('start-digits', { state: 'done' });
    await panel.refresh();
    await screen.findByRole('region', { name: 'Answer' });
    expect(client.infer.mock.calls[0][2]).toBe('{"n":2}');
  });

  it('waits for a deployment that is starting', async () => {
    await open('starting');
    fireEvent.change(editor(), { target: { value: '{"n":2}' } });
    fireEvent.click(button('Send'));
    expect(client.infer).not.toHaveBeenCalled();
    client.deployments = [aDeployment('digits')];
    await panel.refresh();
    await screen.findByRole('region', { name: 'Answer' });
    expect(client.infer.mock.calls[0][2]).toBe('{"n":2}');
  });

  it('does not send to a deployment that failed meanwhile', async () => {
    await open('starting');
    fireEvent.click(button('Send'));
    client.deployments = [aDeployment('digits', { state: 'failed' })];
    await panel.refresh();
    client.deployments = [aDeployment('digits')];
    await panel.refresh();
    expect(client.infer).not.toHaveBeenCalled();
  });

  it('remembers the last payload across a reload', async () => {
    const database = new StateDB();
    await open('ready', database);
    fireEvent.change(editor(), { target: { value: '{"mine": true}' } });
    fireEvent.click(button('Send'));
    await screen.findByRole('region', { name: 'Answer' });
    panel.model.dispose();
    document.body.replaceChildren();

    await open('ready', database);
    await waitFor(() => expect(editor().value).toBe('{"mine": true}'));
    fireEvent.click(button('Use the README’s'));
    expect(editor().value).toBe('{"sample": 1}');
  });
});
