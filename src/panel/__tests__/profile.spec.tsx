import { fireEvent, screen, within } from '@testing-library/react';

import { aDeployment, aJob, FakeClient } from '../../__tests__/fakes';
import { renderPanel } from '../../__tests__/render';
import { CommandIDs } from '../../tokens';

const REASON = 'This machine has no GPU that edi can use.';

describe('the profile in a row', () => {
  it('shows the GPU mode and that changes wait', async () => {
    const client = new FakeClient();
    client.deployments = [
      aDeployment('a', { gpu: 'exclusive', profile_changed: true }),
      aDeployment('b', { gpu: 'no' }),
      aDeployment('c', { gpu: '' })
    ];
    await renderPanel(client);
    const [a, b, c] = screen.getAllByRole('listitem');
    expect(a.textContent).toContain('GPU exclusive');
    expect(a.textContent).toContain('Changes wait for restart');
    expect(b.textContent).not.toContain('GPU');
    expect(c.textContent).not.toContain('GPU');
  });

  it('says what a pending deployment waits for, and leads to the profile', async () => {
    const client = new FakeClient();
    client.deployments = [
      aDeployment('a', {
        state: 'pending',
        reason: REASON,
        gpu: 'exclusive',
        kernels_ready: 0
      })
    ];
    const { executed, open } = await renderPanel(client);
    const row = screen.getByRole('listitem');
    expect(row.dataset.state).toBe('pending');
    expect(
      within(row).getByRole('button', { name: /^a Pending GPU exclusive$/ })
    ).toBeTruthy();
    expect(within(row).queryByRole('button', { name: 'Start a' })).toBeNull();

    await open('a');
    const why = screen.getByRole('region', { name: 'Why a is pending' });
    expect(why.textContent).toContain(REASON);
    expect(screen.queryByRole('form')).toBeNull();
    fireEvent.click(within(why).getByRole('button', { name: 'Edit profile…' }));
    fireEvent.click(screen.getByRole('button', { name: /^Edit the profile/ }));
    const target = { environment: 'local', name: 'a' };
    expect(executed).toEqual([
      [CommandIDs.editProfile, target],
      [CommandIDs.editProfile, target]
    ]);
  });

  it.each([
    ['check', 'Ready'],
    ['stop', 'Stopping'],
    ['update', 'Ready'],
    ['start', 'Starting']
  ])('shows phase %s of saving as %s', async (phase, word) => {
    const client = new FakeClient();
    client.deployments = [aDeployment('a')];
    client.allJobs = [aJob('j', 'a', { kind: 'profile', phase })];
    await renderPanel(client);
    expect(
      screen.getByRole('button', { name: new RegExp(`^a ${word}`) })
    ).toBeTruthy();
  });
});
