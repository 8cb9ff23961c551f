import { act, fireEvent, screen, within } from '@testing-library/react';

import {
  aDeployment,
  aNextProfile,
  aProfileView,
  FakeClient
} from '../../__tests__/fakes';
import { EdiError } from '../../api/errors';
import type { ProfileDocument } from '../document';
import { withValue } from '../document';
import { box, compared, press, renderForm, saveButton, type } from './rendered';

/** The profile of the deployment with another batch size. */
const wanted = (): ProfileDocument =>
  withValue(aProfileView().profile, 'policy.task_batch_size', 4);

const card = (): HTMLElement =>
  screen.getByRole('region', { name: 'Saved for the next start' });

describe('what waits for the next start', () => {
  it('is saved on the server while the deployment runs', async () => {
    const { client, model } = await renderForm({ started: true });
    type('Batch size', '4');
    await act(() => model.saveForNextStart());
    expect(client.saveNextProfile).toHaveBeenCalledWith('local', 'digits', {
      profile: expect.objectContaining({
        policy: expect.objectContaining({ task_batch_size: 4 })
      }),
      revision: 'r1'
    });
    expect(client.saveProfile).not.toHaveBeenCalled();
    expect(card().textContent).toContain('goes on running as it is');
    expect(screen.getByText('No unsaved edits')).toBeTruthy();
    expect(model.isEdited).toBe(false);
    expect(box('Batch size').value).toBe('4');
  });

  it('is there when the form opens, with what it changes', async () => {
    const next = aNextProfile(wanted());
    await renderForm({ started: true, next });
    expect(box('Batch size').value).toBe('4');
    expect(within(card()).getByText('policy.task_batch_size')).toBeTruthy();
    expect(within(card()).getByText('+"task_batch_size": 4').className).toBe(
      'edi-Diff-new'
    );
    expect(screen.queryByRole('button', { name: 'Edit it again' })).toBeNull();
  });

  it('can be restarted with, without any edit', async () => {
    const next = aNextProfile(wanted());
    const { client, review } = await renderForm({ started: true, next });
    expect(saveButton().getAttribute('aria-disabled')).toBe('false');
    await press();
    expect(review).toHaveBeenCalledTimes(1);
    expect(compared(client).policy).toMatchObject({ task_batch_size: 4 });
  });

  it('is edited further, and what is unedited is what waits', async () => {
    const next = aNextProfile(wanted());
    const { model } = await renderForm({ started: true, next });
    type('Batch size', '8');
    expect(model.isEdited).toBe(true);
    type('Batch size', '4');
    expect(model.isEdited).toBe(false);
  });

  it('is forgotten when it is discarded', async () => {
    const next = aNextProfile(wanted());
    const { discardNext, client } = await renderForm({ started: true, next });
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name: 'Discard it' }));
    });
    expect(discardNext).toHaveBeenCalledTimes(1);
    expect(client.discardNextProfile).toHaveBeenCalledWith('local', 'digits');
    expect(screen.queryByText('Saved for the next start')).toBeNull();
    expect(box('Batch size').value).toBe('1');
  });

  it('is not used by itself after somebody else has saved', async () => {
    const next = aNextProfile(wanted(), { outdated: true });
    const { model } = await renderForm({ started: true, next });
    expect(card().textContent).toContain('Somebody has changed the profile');
    expect(box('Batch size').value).toBe('1');
    expect(saveButton().getAttribute('aria-disabled')).toBe('true');
    fireEvent.click(screen.getByRole('button', { name: 'Edit it again' }));
    expect(box('Batch size').value).toBe('4');
    expect(model.isEdited).toBe(true);
  });

  it('keeps the edits when the server refuses it', async () => {
    const { client, model } = await renderForm({ started: true });
    type('Batch size', '4');
    client.saveNextProfile.mockRejectedValueOnce(
      new EdiError({ code: 'out_of_space', message: 'The disk is full.' })
    );
    await act(() => model.saveForNextStart());
    expect(screen.getByText('The disk is full.')).toBeTruthy();
    expect(box('Batch size').value).toBe('4');
    expect(model.isEdited).toBe(true);
  });

  it('is read again when the list tells that it has gone or come', async () => {
    const client = new FakeClient();
    const { deployments } = await renderForm(
      { started: true },
      undefined,
      client
    );
    client.profile.mockImplementation(async () =>
      aProfileView({ started: true, next: aNextProfile(wanted()) })
    );
    client.deployments = [aDeployment('digits', { next_profile: true })];
    await act(async () => {
      deployments.isActive = true;
      await deployments.refresh();
    });
    expect(card()).toBeTruthy();
  });

  it('says that it is over once the deployment has stopped with it', async () => {
    const next = aNextProfile(wanted());
    const { client, deployments } = await renderForm({ started: true, next });
    client.profile.mockImplementation(async () =>
      aProfileView({ profile: wanted(), revision: 'r2' })
    );
    client.deployments = [aDeployment('digits', { state: 'stopped' })];
    await act(async () => {
      deployments.isActive = true;
      await deployments.refresh();
    });
    expect(screen.queryByText('Saved for the next start')).toBeNull();
    expect(screen.queryByText(/Somebody has saved another/)).toBeNull();
    expect(saveButton().textContent).toBe('Save…');
  });
});
