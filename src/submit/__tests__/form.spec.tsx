import {
  act,
  fireEvent,
  render,
  screen,
  waitFor
} from '@testing-library/react';
import * as React from 'react';

import {
  aDeployment,
  aFinding,
  anEnvironment,
  anInspection,
  FakeClient,
  trans
} from '../../__tests__/fakes';
import type { Inspection, RuntimeInfo } from '../../api/wire';
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
    await act(async () => {
      render(
        <DeployForm
          model={model}
          path={path}
          trans={trans}
          onChange={onChange}
        />
      );
    });
    await waitFor(() =>
      expect(screen.queryByText('Looking at the folder…')).toBeNull()
    );
    // The runtimes arrive a little later.
    await act(async () => undefined);
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
      runtime: null,
      start: true
    });
    fireEvent.click(screen.getByLabelText('Start after deploy'));
    expect(choice()).toMatchObject({ start: false });
  });

  it('makes a name of the folder when there is none', async () => {
    client.inspect.mockResolvedValueOnce(
      anInspection({ name: null, own_name: null, proposed_name: null })
    );
    await show('work/My Folder');
    expect(name().value).toBe('my-folder');
  });

  it('follows the name of the folder until it is edited', async () => {
    const bad = aFinding('It is no name.', {
      severity: 'warning',
      fix: { id: 'name', title: 'Set name', description: '' }
    });
    const of = (own_name: string | null, ...findings: (typeof bad)[]) =>
      anInspection({ own_name, proposed_name: 'my-digits', findings });
    client.inspect.mockImplementation(async () => of(null, bad));
    client.fix.mockImplementation(async () => of('mended'));
    await show();
    expect(name().value).toBe('my-digits');
    // Looked at once without and once with the name, and only the latter shown.
    expect(client.inspect.mock.calls.map(([, wanted]) => wanted)).toEqual([
      null,
      'my-digits'
    ]);
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name: 'Fix: Set name' }));
    });
    expect(name().value).toBe('mended');
    await waitFor(() => expect(choice()).toMatchObject({ name: 'mended' }));

    fireEvent.change(name(), { target: { value: 'mine' } });
    client.inspect.mockImplementation(async () => of('other'));
    await waitFor(() => expect(client.inspect.mock.lastCall?.[1]).toBe('mine'));
    await act(async () => undefined);
    expect(name().value).toBe('mine');
  });

  it('lets no fix be pressed whose findings are about to change', async () => {
    const fix = { id: 'a', title: 'Mend a', description: '' };
    client.inspect.mockImplementation(async () =>
      anInspection({ findings: [aFinding('It is wrong.', { fix })] })
    );
    await show();
    const button = (): HTMLElement =>
      screen.getByRole('button', { name: 'Fix: Mend a' });
    expect(button().getAttribute('aria-disabled')).toBe('false');
    fireEvent.change(name(), { target: { value: 'mine' } });
    expect(button().getAttribute('aria-disabled')).toBe('true');
    expect(screen.getByText('Checking…')).toBeTruthy();
    fireEvent.click(button());
    await waitFor(() =>
      expect(button().getAttribute('aria-disabled')).toBe('false')
    );
    expect(screen.queryByText('Checking…')).toBeNull();
    expect(client.fix).not.toHaveBeenCalled();
    await act(async () => {
      fireEvent.click(button());
    });
    expect(client.fix).toHaveBeenCalledWith('examples/digits', 'a', 'mine');
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

  describe('looks at the folder', () => {
    afterEach(() => jest.useRealTimers());

    /** Show the form, and from then on only let time pass by {@link wait}. */
    const showStill = async (path?: string): Promise<void> => {
      await show(path);
      jest.useFakeTimers();
    };
    const wait = (milliseconds: number): Promise<void> =>
      act(() => jest.advanceTimersByTimeAsync(milliseconds));
    const names = (): unknown[] =>
      client.inspect.mock.calls.map(([, wanted]) => wanted);

    it('with the typed name, once nothing more is typed', async () => {
      await showStill();
      for (const text of ['m', 'mi', 'mine', 'Mine', 'mine-2']) {
        fireEvent.change(name(), { target: { value: text } });
        await wait(100);
      }
      expect(names()).toEqual([null]);
      await wait(300);
      expect(names()).toEqual([null, 'mine-2']);
      expect(choice()).toMatchObject({ name: 'mine-2' });
      // The name of model.json again: it stands for itself.
      fireEvent.change(name(), { target: { value: 'digits' } });
      await wait(1000);
      expect(names()).toEqual([null, 'mine-2', 'digits']);
    });

    it('with the name that it proposes, so that the file may have a bad one', async () => {
      const bad = aFinding('It is no name.', { code: 'invalid-name' });
      client.inspect.mockImplementation(async (_path, wanted) =>
        anInspection({
          name: null,
          own_name: null,
          proposed_name: 'my-folder',
          findings: wanted === null ? [bad] : []
        })
      );
      await show('work/My Folder');
      await waitFor(() =>
        expect(choice()).toMatchObject({ name: 'my-folder' })
      );
      expect(names()).toEqual([null, 'my-folder']);
      // Nothing more to ask, though the answer names none.
      jest.useFakeTimers();
      await wait(5000);
      expect(names()).toHaveLength(2);
    });

    it('and believes the newest answer only', async () => {
      await showStill();
      let answer: (found: Inspection) => void = () => undefined;
      client.inspect.mockImplementationOnce(
        () => new Promise(resolve => (answer = resolve))
      );
      fireEvent.change(name(), { target: { value: 'first' } });
      await wait(400);
      fireEvent.change(name(), { target: { value: 'second' } });
      await wait(400);
      await act(async () =>
        answer(anInspection({ findings: [aFinding('Of the first.')] }))
      );
      expect(screen.queryByText('Of the first.')).toBeNull();
      expect(choice()).toMatchObject({ name: 'second' });
    });
  });

  it('refuses a name that is taken', async () => {
    client.deployments = [aDeployment('digits')];
    await show();
    expect(choice()).toBeNull();
    fireEvent.click(screen.getByRole('button', { name: 'Use “digits-2”' }));
    expect(choice()).toMatchObject({ name: 'digits-2' });
  });

  it('lets nothing be deployed that has errors', async () => {
    client.inspect.mockResolvedValueOnce(
      anInspection({ findings: [aFinding('No hook of this name.')] })
    );
    await show();
    expect(choice()).toBeNull();
    expect(
      screen.getByRole('region', { name: 'Checks' }).textContent
    ).toContain('1 problem to mend first; nothing has been sent');
  });

  it('lets be deployed what has only warnings', async () => {
    client.inspect.mockResolvedValueOnce(
      anInspection({
        findings: [aFinding('No sample.', { severity: 'warning' })]
      })
    );
    await show();
    expect(choice()).toMatchObject({ name: 'digits' });
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
    await act(async () => {
      fireEvent.change(screen.getByLabelText('Environment'), {
        target: { value: 'wmla' }
      });
    });
    expect(client.runtimes).toHaveBeenLastCalledWith('wmla', expect.anything());
    expect(choice()).toMatchObject({ environment: 'wmla' });
  });

  describe('the runtime', () => {
    const runtime = (
      type: string,
      title = type,
      more: Partial<RuntimeInfo> = {}
    ) => ({
      type,
      title,
      description: '',
      source: 'engine' as const,
      note: '',
      ...more
    });
    const python = runtime('python', 'Python', {
      description: 'The engine’s own Python 3.11.'
    });
    const field = (): Promise<HTMLSelectElement> =>
      screen.findByLabelText<HTMLSelectElement>('Runtime');

    it('is that of model.json unless another one is chosen', async () => {
      const ml = runtime('ml-env', 'Python 3 (ml-env)', {
        source: 'kernelspec'
      });
      const dlipy3 = runtime('dlipy3', 'dlipy3', { note: 'A name of WMLA’s.' });
      client.runtimes.mockResolvedValueOnce({
        runtimes: [python, ml, dlipy3],
        default: 'python'
      });
      await show();
      const select = await field();
      expect(select.value).toBe('python');
      expect(
        [...select.querySelectorAll('optgroup')].map(g => g.label)
      ).toEqual([
        'Serving engine',
        'Notebook kernels of this server',
        'Names of WMLA'
      ]);
      expect(choice()).toMatchObject({ runtime: null });

      fireEvent.change(select, { target: { value: 'dlipy3' } });
      expect(choice()).toMatchObject({ runtime: 'dlipy3' });
      expect(screen.getByText('A name of WMLA’s.')).toBeTruthy();
      fireEvent.change(select, { target: { value: 'python' } });
      expect(choice()).toMatchObject({ runtime: null });
    });

    it('that nobody knows is said, and can be changed', async () => {
      client.inspect.mockResolvedValueOnce(anInspection({ runtime: 'pyhton' }));
      client.runtimes.mockResolvedValueOnce({
        runtimes: [python],
        default: 'python'
      });
      await show();
      const select = await field();
      expect(select.selectedOptions[0].textContent).toBe('pyhton');
      expect(screen.getByText(/that is not known here/)).toBeTruthy();
      fireEvent.change(select, { target: { value: 'python' } });
      expect(choice()).toMatchObject({ runtime: 'python' });
    });

    it('that cannot be learnt is left to model.json', async () => {
      client.runtimes.mockRejectedValueOnce(
        new EdiError({ code: 'unavailable', message: 'no engine' })
      );
      await show();
      const select = await field();
      expect([...select.options].map(option => option.text)).toEqual([
        'python'
      ]);
      expect(screen.getByText(/could not be learnt/)).toBeTruthy();
      expect(choice()).toMatchObject({ runtime: null });
    });
  });
});
