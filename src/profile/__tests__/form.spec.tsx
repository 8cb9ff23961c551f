import { UseSignal } from '@jupyterlab/ui-components';
import { act, fireEvent, render, screen, within } from '@testing-library/react';
import * as React from 'react';

import { aProfileView, FakeClient, trans } from '../../__tests__/fakes';
import { EdiError } from '../../api/errors';
import { DeploymentsModel } from '../../deployments/model';
import { ProfileDrafts } from '../drafts';
import { ProfileForm } from '../form';
import { ProfileModel } from '../model';
import { box, compared, press, renderForm, saveButton, type } from './rendered';

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

  it('says which part of the resources counts here', async () => {
    await renderForm();
    expect(
      screen.getByText(/looks at the requested memory alone/)
    ).toBeTruthy();
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
        {() => (
          <ProfileForm
            model={model}
            trans={trans}
            onReview={jest.fn()}
            onDiscardNext={jest.fn()}
          />
        )}
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
