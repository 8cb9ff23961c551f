import { StateDB } from '@jupyterlab/statedb';
import { act, fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';

import { aJob, aProfileView, trans } from '../../__tests__/fakes';
import { EdiError } from '../../api/errors';
import { ProfileDrafts } from '../drafts';
import { fieldsOf } from '../fields';
import { Review } from '../review';
import { box, compared, press, renderForm, type } from './rendered';

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
            { path: 'kernel.envs.A', old: null, new: '' },
            {
              path: 'resource_allocation.kernel.resources',
              old: 'ncpus=1',
              new: 'ncpus=2'
            }
          ],
          text: '--- saved\n+++ yours\n-"kernel_max": 100\n+"kernel_max": -1',
          problems: []
        }}
        fields={fieldsOf(view).filter(({ path }) => /resources$/.test(path))}
        isStarted={view.started}
        trans={trans}
      />
    );
    const rows = screen.getAllByRole('row').map(row => row.textContent);
    expect(rows[2]).toBe('kernel.envs.Anot there→ empty');
    expect(rows[3]).toContain('stored; this engine uses only mem');
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
