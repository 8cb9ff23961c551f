import { Notification } from '@jupyterlab/apputils';
import { CommandRegistry } from '@lumino/commands';

import { aJob, FakeClient, trans } from '../../__tests__/fakes';
import { DeploymentsModel } from '../../deployments/model';
import { JobNotifier } from '../notifier';

describe('JobNotifier', () => {
  let client: FakeClient;
  let model: DeploymentsModel;
  let notifier: JobNotifier;

  beforeEach(async () => {
    client = new FakeClient();
    model = new DeploymentsModel({ client });
    notifier = new JobNotifier({
      commands: new CommandRegistry(),
      model,
      trans
    });
    model.isActive = true;
    await model.refresh();
  });

  afterEach(() => {
    notifier.dispose();
    model.dispose();
    Notification.dismiss();
  });

  const shown = (): Notification.INotification[] =>
    Notification.manager.notifications;

  const deploy = async (): Promise<void> => {
    const source = { kind: 'folder', path: 'x' } as const;
    await model.deploy('local', { source }, 'digits');
    await model.refresh();
  };

  const become = async (
    more: Parameters<FakeClient['change']>[1]
  ): Promise<void> => {
    client.change('job-deploy', more);
    await model.refresh();
  };

  it('shows one notification with progress and Cancel', async () => {
    await deploy();
    await become({ message: 'Sending 1 of 4 MB', fraction: 0.25 });
    expect(shown()).toHaveLength(1);
    const [{ message, type, options }] = shown();
    expect(message).toBe('Deploying digits: Sending 1 of 4 MB');
    expect(type).toBe('in-progress');
    expect(options.progress).toBe(0.25);

    options.actions?.[0].callback(new MouseEvent('click'));
    await model.refresh();
    expect(client.cancel).toHaveBeenCalledWith('job-deploy');
    expect(shown()[0].message).toContain('Cancelling');
    expect(shown()[0].options.actions).toEqual([]);
  });

  it('says when it is ready, and offers to send', async () => {
    await deploy();
    await become({ state: 'done', phase: 'start' });
    expect(shown()).toHaveLength(1);
    expect(shown()[0]).toMatchObject({
      message: 'digits is ready.',
      type: 'success'
    });
    expect(shown()[0].options.actions?.[0].label).toBe('Send a request');
  });

  it('takes back what another action has overtaken', async () => {
    await deploy();
    await become({ state: 'done', phase: 'start' });
    expect(shown()).toHaveLength(1);
    await model.act('undeploy', 'local', 'other');
    expect(shown()).toHaveLength(1);
    await model.act('undeploy', 'local', 'digits');
    expect(shown()).toHaveLength(0);
  });

  it('does not claim that it is ready when it was not to be started', async () => {
    await deploy();
    await become({ state: 'done', phase: 'upload' });
    expect(shown()[0].message).toBe('digits is deployed.');
  });

  it('says what failed, shortly, with all of it a click away', async () => {
    await deploy();
    await become({
      state: 'failed',
      error: {
        code: 'x',
        message: 'y'.repeat(300),
        hint: null,
        field: null,
        detail: null,
        fields: null
      }
    });
    expect(shown()[0].type).toBe('error');
    expect(shown()[0].message.length).toBeLessThanOrEqual(130);
    expect(shown()[0].message).toContain('digits was not deployed');
    expect(shown()[0].options.actions?.[0].label).toBe('Show details');
  });

  it('does not call a cancelled deployment failed', async () => {
    await deploy();
    await become({ state: 'cancelled', message: 'You cancelled.' });
    expect(shown()[0]).toMatchObject({
      message: 'You cancelled.',
      type: 'info'
    });
  });

  it('is silent about a stop that works, and tells of one that does not', async () => {
    await model.act('stop', 'local', 'digits');
    await model.refresh();
    expect(shown()).toHaveLength(0);
    client.change('stop-digits', { state: 'failed', message: 'no' });
    await model.refresh();
    expect(shown()[0].message).toBe('digits did not stop: no');
  });

  it('lets other people’s jobs be: their own row shows them', async () => {
    client.allJobs = [aJob('other', 'theirs', { kind: 'start' })];
    await model.refresh();
    expect(shown()).toHaveLength(0);
  });
});
