import { UseSignal } from '@jupyterlab/ui-components';
import {
  act,
  fireEvent,
  render,
  screen,
  waitFor
} from '@testing-library/react';
import * as React from 'react';

import { EdiError } from '../../api/errors';
import { anEnvironment, FakeClient, trans } from '../../__tests__/fakes';
import { DeploymentsModel } from '../../deployments/model';
import { EnvironmentList } from '../list';

const NEEDED = new EdiError({
  code: 'confirmation_needed',
  message: 'Confirm that requests and the token may go to wmla.example.com.',
  detail: 'wmla.example.com\nwmla-inference.example.com',
  status: 409
});

async function show(client: FakeClient, agrees = true) {
  const model = new DeploymentsModel({ client });
  const confirm = jest.fn(async () => agrees);
  const askToken = jest.fn(async () => 'pasted' as string | null);
  model.isActive = true;
  await act(() => model.refresh());
  render(
    <UseSignal signal={model.changed}>
      {() => <EnvironmentList {...{ model, trans, confirm, askToken }} />}
    </UseSignal>
  );
  return { model, confirm, askToken };
}

function type(label: string | RegExp, value: string): void {
  fireEvent.change(screen.getByLabelText(label), { target: { value } });
}

async function press(name: string): Promise<void> {
  const [button] = screen.getAllByRole<HTMLButtonElement>('button', { name });
  await waitFor(() => expect(button.disabled).toBe(false));
  await act(async () => {
    fireEvent.click(button);
  });
}

describe('adding an environment', () => {
  let client: FakeClient;

  beforeEach(() => {
    client = new FakeClient();
    client.saveEnvironment.mockRejectedValueOnce(NEEDED);
  });

  it('asks for every host by name and then sends the token there', async () => {
    const { model, confirm } = await show(client);
    type('Name', 'prod');
    type('Address', 'https://wmla.example.com');
    type('Token', 'secret');
    await press('Add');
    const hosts = ['wmla.example.com', 'wmla-inference.example.com'];
    expect(confirm).toHaveBeenCalledWith(hosts);
    expect(client.saveEnvironment.mock.calls.map(call => call[1])).toEqual([
      expect.objectContaining({ confirmed_hosts: [] }),
      expect.objectContaining({ confirmed_hosts: hosts })
    ]);
    expect(client.chooseToken).toHaveBeenCalledWith('prod', {
      source: { kind: 'session', token: 'secret' },
      confirmed_hosts: hosts
    });
    expect(model.environment?.id).toBe('prod');
    expect(screen.getByLabelText<HTMLInputElement>('Token').value).toBe('');
  });

  it('sends nothing when the person does not agree', async () => {
    const { model } = await show(client, false);
    type('Name', 'prod');
    type('Address', 'https://wmla.example.com');
    type('Token', 'secret');
    await press('Add');
    expect(client.saveEnvironment).toHaveBeenCalledTimes(1);
    expect(client.chooseToken).not.toHaveBeenCalled();
    expect(model.environment?.id).toBe('local');
  });

  it("takes the server's own token where there is one", async () => {
    client.tokenAvailable = true;
    await show(client);
    expect(screen.getByText(/has a Watson token/)).toBeTruthy();
    type('Name', 'prod');
    type('Address', 'https://wmla.example.com');
    await press('Add');
    expect(client.chooseToken.mock.calls[0][1].source).toEqual({
      kind: 'variable'
    });
  });

  it('needs a name, an address and a token', async () => {
    await show(client);
    const add = screen.getByRole<HTMLButtonElement>('button', { name: 'Add' });
    expect(add.disabled).toBe(true);
    type('Name', 'prod');
    type('Address', 'https://wmla.example.com');
    expect(add.disabled).toBe(true);
    type('Token', 'x');
    expect(add.disabled).toBe(false);
  });

  it('shows why an address is refused, as text', async () => {
    client.saveEnvironment.mockReset().mockRejectedValue(
      new EdiError({
        code: 'bad_address',
        message: 'The address has <img src=x> in it.',
        hint: 'Use https://.',
        status: 409
      })
    );
    await show(client);
    type('Name', 'prod');
    type('Address', 'x');
    type('Token', 'x');
    await press('Add');
    const alert = screen.getByRole('alert');
    expect(alert.textContent).toContain('<img src=x>');
    expect(alert.querySelector('img')).toBeNull();
  });
});

describe('an environment', () => {
  it('is tested step by step', async () => {
    const client = new FakeClient();
    const step = { hint: null, seconds: 0.1 };
    client.testEnvironment.mockResolvedValue({
      ok: false,
      steps: [
        { ...step, name: 'resolve', ok: true, text: 'Found.' },
        { ...step, name: 'permissions', ok: null, text: 'List yes.' },
        { ...step, name: 'connect', ok: false, text: 'No.', hint: 'Do this.' }
      ]
    });
    await show(client);
    await press('Test');
    const steps = screen.getAllByRole('listitem').map(item => item.textContent);
    expect(steps).toEqual([
      'resolve ok: Found.',
      'permissions unknown: List yes.',
      'connect failed: No.Do this.'
    ]);
  });

  it('says that its test could not be made', async () => {
    const client = new FakeClient();
    client.testEnvironment.mockRejectedValue(
      new EdiError({ code: 'forbidden', message: 'Not allowed.', status: 403 })
    );
    await show(client);
    await press('Test');
    expect(screen.getByText(/Not allowed/)).toBeTruthy();
  });

  it('takes a pasted token and can be removed when it is stored', async () => {
    const client = new FakeClient();
    client.environments.push(
      anEnvironment('mine', { kind: 'remote', host: 'a.example.com' })
    );
    client.chooseToken.mockRejectedValueOnce(NEEDED);
    const { confirm } = await show(client);
    await press('Paste a token…');
    expect(confirm).toHaveBeenCalled();
    expect(client.chooseToken.mock.lastCall?.[1].source).toEqual({
      kind: 'session',
      token: 'pasted'
    });
    await press('Remove');
    expect(client.removeEnvironment).toHaveBeenCalledWith('mine');
    expect(screen.queryByText('a.example.com')).toBeNull();
  });

  it('says aloud that its certificate is not checked', async () => {
    const client = new FakeClient();
    client.environments.push(anEnvironment('mine', { insecure: true }));
    await show(client);
    expect(screen.getByText(/certificate NOT checked/)).toBeTruthy();
  });
});

it('says quietly that the server itself is not safe', async () => {
  const client = new FakeClient();
  client.unsafePackages = [
    {
      name: 'jupyter_server',
      version: '2.20.0',
      floor: '2.21.0',
      command: 'pip install --upgrade "jupyter_server>=2.21.0"'
    }
  ];
  await show(client);
  expect(screen.getByText(/jupyter_server 2\.20\.0/).textContent).toContain(
    '2.21.0 is the first version without them: pip install'
  );
});
