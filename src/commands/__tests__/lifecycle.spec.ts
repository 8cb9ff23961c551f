import { acceptDialog, waitForDialog } from '@jupyterlab/testing';
import { waitFor } from '@testing-library/react';
import { CommandRegistry } from '@lumino/commands';

import {
  aDeployment,
  anEnvironment,
  FakeClient,
  ready,
  trans
} from '../../__tests__/fakes';
import { drawAtOwnPace } from '../../__tests__/ownPace';
import { EdiError } from '../../api/errors';
import { DeploymentsModel } from '../../deployments/model';
import { CommandIDs } from '../../tokens';
import { addSampleCommand } from '../deploy';
import { addLifecycleCommands } from '../lifecycle';

drawAtOwnPace();

describe('the commands', () => {
  let client: FakeClient;
  let model: DeploymentsModel;
  let commands: CommandRegistry;

  beforeEach(async () => {
    client = new FakeClient();
    client.environments = [anEnvironment('local'), anEnvironment('wmla')];
    client.deployments = [
      aDeployment('ready'),
      aDeployment('stopped', { state: 'stopped' })
    ];
    model = new DeploymentsModel({ client });
    commands = new CommandRegistry();
    const deployments = await ready(model);
    addLifecycleCommands({ commands, deployments, trans });
    addSampleCommand({ commands, deployments, trans });
    model.isActive = true;
    await model.refresh();
  });

  afterEach(() => model.dispose());

  it.each([
    [CommandIDs.start, 'stopped', true],
    [CommandIDs.start, 'ready', false],
    [CommandIDs.stop, 'ready', true],
    [CommandIDs.stop, 'stopped', false],
    [CommandIDs.undeploy, 'stopped', true],
    [CommandIDs.undeploy, 'unknown-name', false]
  ])('%s on %s is enabled: %s', (command, name, expected) => {
    expect(commands.isEnabled(command, { name })).toBe(expected);
  });

  it('are about the selected row when nothing is said', () => {
    expect(commands.isEnabled(CommandIDs.start)).toBe(false);
    model.selected = 'stopped';
    expect(commands.isEnabled(CommandIDs.start)).toBe(true);
  });

  it('do not act on a row of the same name elsewhere', () => {
    const args = { name: 'stopped', environment: 'wmla' };
    expect(commands.isEnabled(CommandIDs.start, args)).toBe(false);
  });

  it('start at once', async () => {
    await commands.execute(CommandIDs.start, { name: 'stopped' });
    expect(client.start).toHaveBeenCalledWith('local', 'stopped');
  });

  it.each([
    [CommandIDs.stop, 'stop', 'Stop'],
    [CommandIDs.undeploy, 'undeploy', 'Undeploy']
  ] as const)(
    '%s asks first, and Enter cancels',
    async (command, method, label) => {
      const done = commands.execute(command, { name: 'ready' });
      await waitForDialog();
      expect(document.activeElement?.textContent).toBe('Cancel');
      await acceptDialog();
      await done;
      expect(client[method]).not.toHaveBeenCalled();

      const again = commands.execute(command, { name: 'ready' });
      await waitForDialog();
      const buttons = [
        ...document.querySelectorAll<HTMLElement>('dialog button')
      ];
      buttons.find(button => button.textContent === label)?.click();
      await again;
      expect(client[method]).toHaveBeenCalledWith('local', 'ready');
    }
  );

  it('tell why the server refused', async () => {
    client.start.mockRejectedValueOnce(
      new EdiError({ code: 'busy', message: 'stopped is busy.', hint: 'Wait.' })
    );
    const done = commands.execute(CommandIDs.start, { name: 'stopped' });
    await waitForDialog();
    // The dialog's body is drawn by React after the dialog is attached.
    await waitFor(() => {
      const dialog = document.querySelector('.jp-Dialog');
      expect(dialog?.textContent).toContain('stopped was not started');
      expect(dialog?.textContent).toContain('stopped is busy.Wait.');
    });
    await acceptDialog();
    await done;
  });

  it('lead to the profile when somebody has to decide between two', async () => {
    const opened = jest.fn();
    commands.addCommand(CommandIDs.editProfile, {
      describedBy: { args: {} },
      execute: opened
    });
    client.start.mockRejectedValueOnce(
      new EdiError({ code: 'next_profile_outdated', message: 'It differs.' })
    );
    const done = commands.execute(CommandIDs.start, { name: 'stopped' });
    await waitForDialog();
    const dialog = document.querySelector('.jp-Dialog');
    expect(dialog?.textContent).toContain('Which profile shall stopped start');
    await acceptDialog();
    await done;
    expect(opened).toHaveBeenCalledWith({
      environment: 'local',
      name: 'stopped'
    });
  });

  it('deploy the sample', async () => {
    await commands.execute(CommandIDs.deploySample);
    expect(client.deploy).toHaveBeenCalledWith('local', {
      source: { kind: 'sample', sample: 'pingpong' },
      start: true
    });
  });
});
