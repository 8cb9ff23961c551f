import { StateDB } from '@jupyterlab/statedb';
import { UseSignal } from '@jupyterlab/ui-components';
import { act, fireEvent, render, screen, within } from '@testing-library/react';
import * as React from 'react';

import {
  aDeployment,
  aJob,
  aProfileView,
  FakeClient,
  trans
} from '../../__tests__/fakes';
import { EdiError } from '../../api/errors';
import type { ProfileView } from '../../api/wire';
import { DeploymentsModel } from '../../deployments/model';
import type { ProfileDocument } from '../document';
import { ProfileDrafts } from '../drafts';
import { ProfileForm } from '../form';
import { ProfileModel } from '../model';
import { Review } from '../review';

/** What polls or listens, to be ended after the test. */
const opened: { dispose(): void }[] = [];
afterEach(() => {
  opened.splice(0).forEach(part => part.dispose());
});

interface IRendered {
  client: FakeClient;
  deployments: DeploymentsModel;
  model: ProfileModel;
  database: StateDB;
  review: jest.Mock;
}

/** A form on a server in memory. */
async function renderForm(
  more: Partial<ProfileView> = {},
  database = new StateDB(),
  client = new FakeClient()
): Promise<IRendered> {
  client.profile.mockImplementation(async () => aProfileView(more));
  client.deployments = [
    aDeployment('digits', { state: more.started ? 'ready' : 'stopped' })
  ];
  const deployments = new DeploymentsModel({ client });
  await deployments.load();
  await deployments.refresh();
  const model = new ProfileModel({
    deployments,
    drafts: new ProfileDrafts(database),
    environment: 'local',
    name: 'digits',
    trans
  });
  opened.push(model, deployments);
  const review = jest.fn(() => model.review());
  render(
    <UseSignal signal={model.changed}>
      {() => (
        <ProfileForm
          model={model}
          trans={trans}
          onReview={() => void review()}
        />
      )}
    </UseSignal>
  );
  await act(() => model.load());
  return { client, deployments, model, database, review };
}

const box = (name: string): HTMLInputElement =>
  screen.getByLabelText<HTMLInputElement>(name);

function type(name: string, value: string): void {
  fireEvent.change(box(name), { target: { value } });
  fireEvent.blur(box(name));
}

const saveButton = (): HTMLElement =>
  screen.getByRole('button', { name: /^Save/ });

/** Press Save and wait for the comparison. */
async function press(): Promise<void> {
  await act(async () => {
    fireEvent.submit(screen.getByRole('form'));
  });
}

/** The document that was sent to be compared last. */
function compared(client: FakeClient): ProfileDocument {
  return client.diffProfile.mock.lastCall?.[2] as ProfileDocument;
}

describe('profile form', () => {
  it('is drawn from the schema of the server', async () => {
    await renderForm();
    const headings = screen
      .getAllByRole('heading', { level: 2 })
      .map(heading => heading.textContent);
    expect(headings).toEqual([
      'GPU',
      'CPU and memory',
      'Kernels',
      'Timeouts',
      'Batching',
      'Environment variables',
      'Advanced'
    ]);
    const tiles = screen.getAllByRole('radio');
    expect(tiles).toHaveLength(3);
    expect(screen.getByText(/one whole GPU to itself/)).toBeTruthy();
    const most = box('Kernels at most');
    const about = most.getAttribute('aria-describedby')!.split(' ');
    expect(about.map(id => document.getElementById(id)?.textContent)).toContain(
      'stored, not used by this engine'
    );
  });

  it('binds boxes and text both ways and echoes GB', async () => {
    await renderForm();
    type('Memory limit in MB', '8192');
    expect(box('As text').value).toBe(
      'ncpus=0.5,ncpus_limit=2,mem=1024,mem_limit=8192'
    );
    expect(screen.getByText('MB = 8 GB')).toBeTruthy();
    type('As text', 'ncpus=3');
    expect(box('CPUs requested').value).toBe('3');
    expect(box('Memory limit in MB').value).toBe('');
  });

  it('marks the pair that counts in the chosen mode', async () => {
    await renderForm();
    expect(screen.queryByText(/^counts with/)).toBeNull();
    fireEvent.click(screen.getByRole('radio', { name: /^Exclusive GPU/ }));
    expect(
      screen.getByText('counts with an exclusive GPU').parentElement
        ?.textContent
    ).toMatch(/^Request/);
    fireEvent.click(screen.getByRole('radio', { name: /^Shared GPU/ }));
    expect(
      screen.getByText('counts with a shared GPU').parentElement?.textContent
    ).toMatch(/^Limit/);
  });

  it('has a tick for no limit, and remembers the number', async () => {
    const { client } = await renderForm();
    const tick = box('Request timeout: no limit');
    fireEvent.click(tick);
    expect(box('Request timeout').disabled).toBe(true);
    await press();
    expect(compared(client).policy).toMatchObject({
      task_execution_timeout: -1
    });
    fireEvent.click(tick);
    expect(box('Request timeout').value).toBe('60');
  });

  it('warns of no kernels and lets it be saved', async () => {
    const { client } = await renderForm();
    type('Kernels at least', '0');
    expect(screen.getByText(/No kernel runs ahead of time/)).toBeTruthy();
    await press();
    expect(compared(client).policy).toMatchObject({ kernel_min: 0 });
  });

  it('adds and removes variables without losing the focus', async () => {
    const { client } = await renderForm();
    fireEvent.click(screen.getByRole('button', { name: 'Add a variable' }));
    expect(document.activeElement).toBe(box('Name of variable 2'));
    type('Name of variable 2', 'A');
    type('Value of variable 2', '1');
    fireEvent.click(
      screen.getByRole('button', { name: 'Remove variable DLIM_MK_LOG_LEVEL' })
    );
    expect(document.activeElement?.textContent).toBe('Add a variable');
    await press();
    expect(compared(client).kernel).toMatchObject({
      envs: [{ name: 'A', value: '1' }]
    });
  });

  it('shows a fault once the field is left, under the field', async () => {
    await renderForm();
    fireEvent.change(box('Batch size'), { target: { value: '0' } });
    expect(screen.queryByText(/whole number from 1 to 1000/)).toBeNull();
    fireEvent.blur(box('Batch size'));
    const fault = screen.getByText(/whole number from 1 to 1000/);
    expect(box('Batch size').getAttribute('aria-describedby')).toContain(
      fault.id
    );
    expect(box('Batch size').getAttribute('aria-invalid')).toBe('true');
  });

  it('waits with a fault while a pointer is down', async () => {
    await renderForm();
    jest.useFakeTimers();
    try {
      fireEvent.change(box('Batch size'), { target: { value: '0' } });
      fireEvent.pointerDown(saveButton());
      fireEvent.blur(box('Batch size'));
      expect(screen.queryByText(/whole number from 1 to 1000/)).toBeNull();
      fireEvent.pointerUp(saveButton());
      act(() => jest.runAllTimers());
      expect(screen.getByText(/whole number from 1 to 1000/)).toBeTruthy();
    } finally {
      jest.useRealTimers();
    }
  });

  it('counts the faults, leads to each, and asks nothing of the server', async () => {
    const { client } = await renderForm();
    fireEvent.change(box('Batch size'), { target: { value: '' } });
    fireEvent.change(box('Replicas'), { target: { value: '0' } });
    await press();
    const alert = screen.getByRole('alert');
    expect(alert.textContent).toContain('2 fields need attention');
    expect(client.diffProfile).not.toHaveBeenCalled();

    const advanced = box('Replicas').closest('details')!;
    expect(advanced.open).toBe(false);
    fireEvent.click(within(alert).getByRole('button', { name: 'Replicas' }));
    expect(advanced.open).toBe(true);
    expect(document.activeElement).toBe(box('Replicas'));

    type('Replicas', '2');
    expect(alert.textContent).toContain('1 field needs attention');
    type('Batch size', '4');
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('shows what the server finds until the field is changed', async () => {
    const { client } = await renderForm();
    client.diffProfile.mockResolvedValue({
      changes: [],
      text: '',
      problems: [
        { field: 'kernel.envs.0.value', message: 'Too long.' },
        { field: 'consumer', message: 'Is missing.' }
      ]
    });
    type('Batch size', '4');
    await press();
    expect(screen.getByRole('alert').textContent).toContain(
      'consumer: Is missing.'
    );
    const value = box('Value of variable 1');
    expect(value.getAttribute('aria-invalid')).toBe('true');
    type('Value of variable 1', 'x');
    expect(value.getAttribute('aria-invalid')).toBe('false');
  });

  it('keeps what it does not know, and shows it', async () => {
    const profile = { ...aProfileView().profile, consumer: { plan: 'gold' } };
    const { client } = await renderForm({ profile });
    expect(screen.getByText('consumer.plan')).toBeTruthy();
    expect(screen.getByText('gold')).toBeTruthy();
    type('Batch size', '4');
    await press();
    expect(compared(client).consumer).toEqual({ plan: 'gold' });
  });

  it('names the effect of its button', async () => {
    const { model } = await renderForm({ started: true });
    expect(saveButton().textContent).toBe('Save and restart…');
    expect(saveButton().getAttribute('aria-disabled')).toBe('true');
    await press();
    expect(model.work).toBe('none');
  });

  it('says why there is no profile, and tries again', async () => {
    const client = new FakeClient();
    const deployments = new DeploymentsModel({ client });
    client.profile.mockRejectedValueOnce(
      new EdiError({ code: 'not_found', message: 'Gone.', status: 404 })
    );
    const model = new ProfileModel({
      deployments,
      drafts: new ProfileDrafts(null),
      environment: 'local',
      name: 'digits',
      trans
    });
    render(
      <UseSignal signal={model.changed}>
        {() => <ProfileForm model={model} trans={trans} onReview={jest.fn()} />}
      </UseSignal>
    );
    await act(() => model.load());
    expect(screen.getByRole('alert').textContent).toContain('Gone.');
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    });
    expect(screen.getByRole('form')).toBeTruthy();
    model.dispose();
    deployments.dispose();
  });
});

describe('saving', () => {
  it('sends the whole document and ends with no edits', async () => {
    const { client, deployments, model } = await renderForm({ started: true });
    fireEvent.click(screen.getByRole('radio', { name: /^Exclusive GPU/ }));
    await act(() => model.save(true));
    expect(client.saveProfile).toHaveBeenCalledWith(
      'local',
      'digits',
      expect.objectContaining({ restart: true, revision: 'r1' })
    );
    expect(box('Batch size').disabled).toBe(true);

    const saved = client.saveProfile.mock.lastCall![2].profile;
    client.profile.mockImplementation(async () =>
      aProfileView({ profile: saved, revision: 'r2', started: true })
    );
    client.change('profile-digits', { state: 'done' });
    await act(() => deployments.refresh());
    expect(screen.getByText('Saved. digits runs with it.')).toBeTruthy();
    expect(model.isEdited).toBe(false);
    expect(box('Batch size').disabled).toBe(false);
  });

  it('says that it is saved but pending', async () => {
    const { client, deployments, model } = await renderForm();
    fireEvent.click(screen.getByRole('radio', { name: /^Exclusive GPU/ }));
    await act(() => model.save(true));
    const saved = client.saveProfile.mock.lastCall![2].profile;
    client.profile.mockImplementation(async () =>
      aProfileView({ profile: saved, revision: 'r2', started: true })
    );
    client.change('profile-digits', {
      state: 'failed',
      phase: 'start',
      error: {
        code: 'pending',
        message: 'This machine has no GPU.',
        hint: null,
        field: null,
        detail: null,
        fields: null
      }
    });
    await act(() => deployments.refresh());
    expect(screen.getByText('Saved, and digits is pending.')).toBeTruthy();
    expect(screen.getByText('This machine has no GPU.')).toBeTruthy();
  });

  it('puts edits on top of what somebody else has saved', async () => {
    const { client, model } = await renderForm();
    type('Batch size', '4');
    client.saveProfile.mockRejectedValueOnce(
      new EdiError({
        code: 'changed_since_read',
        message: 'It has changed.',
        status: 409
      })
    );
    const { profile } = aProfileView();
    client.profile.mockImplementation(async () =>
      aProfileView({
        profile: { ...profile, replica: 7 },
        revision: 'r2'
      })
    );
    await act(() => model.save(false));
    expect(screen.getByText(/Somebody has saved another/)).toBeTruthy();
    expect(box('Replicas').value).toBe('7');
    expect(box('Batch size').value).toBe('4');
    await press();
    expect(compared(client)).toMatchObject({
      replica: 7,
      policy: { task_batch_size: 4 }
    });
  });

  it('keeps the edits when saving is refused', async () => {
    const { client, model } = await renderForm();
    type('Batch size', '4');
    client.saveProfile.mockRejectedValueOnce(
      new EdiError({ code: 'busy', message: 'Something else is going on.' })
    );
    await act(() => model.save(false));
    expect(screen.getByText('Something else is going on.')).toBeTruthy();
    expect(box('Batch size').value).toBe('4');
  });

  it('keeps edits for when it is stopped', async () => {
    const { client, deployments, model } = await renderForm({ started: true });
    type('Batch size', '4');
    act(() => model.keep());
    expect(screen.getByText(/Not saved yet/)).toBeTruthy();
    client.profile.mockImplementation(async () => aProfileView());
    client.deployments = [aDeployment('digits', { state: 'stopped' })];
    await act(async () => {
      deployments.isActive = true;
      await deployments.refresh();
    });
    expect(screen.getByText(/is stopped now/)).toBeTruthy();
    expect(saveButton().textContent).toBe('Save…');
  });
});

describe('drafts', () => {
  it('come back after a reload and go when discarded', async () => {
    const database = new StateDB();
    await renderForm({}, database);
    type('Batch size', '4');
    await act(async () => undefined);

    document.body.replaceChildren();
    const again = await renderForm({}, database);
    expect(box('Batch size').value).toBe('4');
    fireEvent.click(screen.getByRole('button', { name: 'Discard' }));
    expect(box('Batch size').value).toBe('1');
    await act(async () => undefined);
    expect(again.model.isEdited).toBe(false);
    expect(await new ProfileDrafts(database).get('local', 'digits')).toEqual(
      {}
    );
  });
});

describe('review', () => {
  it('lists old and new in words, and the lines', () => {
    const view = aProfileView();
    render(
      <Review
        name="digits"
        diff={{
          changes: [
            { path: 'policy.kernel_max', old: 100, new: -1 },
            { path: 'kernel.envs.A', old: null, new: '' }
          ],
          text: '--- saved\n+++ yours\n-"kernel_max": 100\n+"kernel_max": -1',
          problems: []
        }}
        fields={[]}
        isStarted={view.started}
        trans={trans}
      />
    );
    const rows = screen.getAllByRole('row').map(row => row.textContent);
    expect(rows[2]).toBe('kernel.envs.Anot there→ empty');
    expect(screen.getByText('+"kernel_max": -1').className).toBe(
      'edi-Diff-new'
    );
    expect(screen.getByText('It takes effect at the next start.')).toBeTruthy();
  });
});

it('leaves jobs of other deployments alone', async () => {
  const { client, deployments, model } = await renderForm();
  client.profile.mockClear();
  client.allJobs = [aJob('j', 'other')];
  await act(async () => {
    deployments.isActive = true;
    await deployments.refresh();
  });
  client.change('j', { state: 'done' });
  await act(() => deployments.refresh());
  expect(client.profile).not.toHaveBeenCalled();
  expect(model.notice).toBeNull();
});
