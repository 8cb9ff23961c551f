import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import * as React from 'react';

import {
  aDeployment,
  anEnvironment,
  anInspection,
  FakeClient,
  trans
} from '../../__tests__/fakes';
import { EdiError } from '../../api/errors';
import { DeploymentsModel } from '../../deployments/model';
import { DeployForm } from '../form';

describe('the deploy form', () => {
  let client: FakeClient;
  let model: DeploymentsModel;
  const onChange = jest.fn();

  beforeEach(() => {
    client = new FakeClient();
    model = new DeploymentsModel({ client });
  });

  afterEach(() => model.dispose());

  const show = async (path = 'examples/digits'): Promise<void> => {
    model.isActive = true;
    await model.refresh();
    render(
      <DeployForm model={model} path={path} trans={trans} onChange={onChange} />
    );
    await waitFor(() =>
      expect(screen.queryByText('Looking at the folder…')).toBeNull()
    );
  };
  const choice = (): unknown => onChange.mock.lastCall?.[0];
  const name = (): HTMLInputElement =>
    screen.getByLabelText<HTMLInputElement>('Name');

  it('offers the name of model.json, and to start', async () => {
    await show();
    expect(name().value).toBe('digits');
    expect(choice()).toEqual({
      environment: 'local',
      name: 'digits',
      start: true
    });
    fireEvent.click(screen.getByLabelText('Start after deploy'));
    expect(choice()).toMatchObject({ start: false });
  });

  it('makes a name of the folder when there is none', async () => {
    client.inspect.mockResolvedValueOnce(
      anInspection({ name: null, problems: [] })
    );
    await show('work/My Folder');
    expect(name().value).toBe('my-folder');
  });

  it('refuses a wrong name and offers one that would do', async () => {
    await show();
    fireEvent.change(name(), { target: { value: 'My Digits' } });
    expect(choice()).toBeNull();
    expect(name().getAttribute('aria-invalid')).toBe('true');
    fireEvent.click(screen.getByRole('button', { name: 'Use “my-digits”' }));
    expect(choice()).toMatchObject({ name: 'my-digits' });
    expect(document.activeElement).toBe(name());
  });

  it('refuses a name that is taken', async () => {
    client.deployments = [aDeployment('digits')];
    await show();
    expect(choice()).toBeNull();
    fireEvent.click(screen.getByRole('button', { name: 'Use “digits-2”' }));
    expect(choice()).toMatchObject({ name: 'digits-2' });
  });

  it('lets nothing be deployed that has problems', async () => {
    client.inspect.mockResolvedValueOnce(
      anInspection({
        problems: [
          {
            code: 'missing_file',
            message: 'The kernel file is missing.',
            hint: 'Add it.',
            field: null,
            path: 'kernel.py'
          }
        ]
      })
    );
    await show();
    expect(choice()).toBeNull();
    const { textContent } = screen.getByRole('alert');
    expect(textContent).toContain('1 problem to mend first');
    expect(textContent).toContain(
      'kernel.py The kernel file is missing.Add it.'
    );
  });

  it('says when the folder cannot be looked at', async () => {
    client.inspect.mockRejectedValueOnce(
      new EdiError({
        code: 'not_on_disk',
        message: 'Not on disk.',
        hint: 'Copy it.'
      })
    );
    await show();
    expect(choice()).toBeNull();
    expect(screen.getByRole('alert').textContent).toContain('Not on disk.');
  });

  it('shows what is sent and what is left out', async () => {
    client.inspect.mockResolvedValueOnce(
      anInspection({
        file_count: 300,
        total_size: 14_200,
        ignored: [{ path: '.git', reason: 'version control' }]
      })
    );
    await show();
    expect(screen.getByText(/300 files, 14.2 kB/).textContent).toContain(
      '1 ignored'
    );
    expect(screen.getByText('and 299 more')).toBeTruthy();
    expect(screen.getByText('version control')).toBeTruthy();
  });

  it('asks for the environment only when there is a choice', async () => {
    client.environments = [anEnvironment('local'), anEnvironment('wmla')];
    await show();
    fireEvent.change(screen.getByLabelText('Environment'), {
      target: { value: 'wmla' }
    });
    expect(choice()).toMatchObject({ environment: 'wmla' });
  });
});
