import { WidgetTracker } from '@jupyterlab/apputils';
import { StateDB } from '@jupyterlab/statedb';
import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';

import { aDeployment, FakeClient, trans } from '../../__tests__/fakes';
import { drawAtOwnPace } from '../../__tests__/ownPace';
import { LazyDeployments } from '../../deployments/lazy';
import { DeploymentsModel } from '../../deployments/model';
import type { ProfileTab } from '../../profile/widget';
import { CommandIDs } from '../../tokens';
import { addProfileCommand } from '../profile';

drawAtOwnPace();

interface ISetup {
  client: FakeClient;
  commands: CommandRegistry;
  deployments: LazyDeployments;
  model: DeploymentsModel;
  tracker: WidgetTracker<ProfileTab>;
  shell: { add: jest.Mock; activateById: jest.Mock };
}

function setUp(): ISetup {
  const client = new FakeClient();
  const model = new DeploymentsModel({ client });
  const deployments = new LazyDeployments(async () => model);
  const commands = new CommandRegistry();
  const tracker = new WidgetTracker<ProfileTab>({ namespace: 'test' });
  const shell = {
    add: jest.fn((tab: Widget) => Widget.attach(tab, document.body)),
    activateById: jest.fn()
  };
  addProfileCommand({
    commands,
    database: new StateDB(),
    deployments,
    shell: shell as never,
    tracker,
    trans
  });
  return { client, commands, deployments, model, tracker, shell };
}

const TARGET = { environment: 'local', name: 'digits' };

describe('edi:edit-profile', () => {
  it('opens a tab before there is a list, and only one', async () => {
    const { client, commands, shell, tracker } = setUp();
    await commands.execute(CommandIDs.editProfile, TARGET);
    await commands.execute(CommandIDs.editProfile, TARGET);
    await Promise.all([
      commands.execute(CommandIDs.editProfile, { ...TARGET, name: 'other' }),
      commands.execute(CommandIDs.editProfile, { ...TARGET, name: 'other' })
    ]);
    expect(tracker.size).toBe(2);
    expect(shell.add).toHaveBeenCalledTimes(2);
    expect(shell.activateById).toHaveBeenCalledTimes(4);
    expect(client.profile).toHaveBeenCalledWith('local', 'digits');
    const [tab] = [tracker.find(({ model }) => model.name === 'digits')!];
    expect(tab.title.label).toBe('Profile: digits');
    tracker.forEach(widget => widget.dispose());
  });

  it('shows a tab again that was taken out of the layout', async () => {
    const { commands, shell, tracker } = setUp();
    await commands.execute(CommandIDs.editProfile, TARGET);
    const tab = tracker.find(() => true)!;
    Widget.detach(tab);
    await commands.execute(CommandIDs.editProfile, TARGET);
    expect(tab.isAttached).toBe(true);
    expect(tracker.size).toBe(1);
    expect(shell.add).toHaveBeenCalledTimes(2);
    tracker.forEach(widget => widget.dispose());
  });

  it('marks the tab while there are edits, and asks before it closes', async () => {
    const { commands, tracker } = setUp();
    await commands.execute(CommandIDs.editProfile, TARGET);
    const tab = tracker.currentWidget ?? tracker.find(() => true)!;
    await tab.model.load();
    tab.model.edit('kernel.gpu', 'shared');
    expect(tab.title.className).toBe('jp-mod-dirty');

    const press = async (label: string): Promise<void> => {
      tab.close();
      await Promise.resolve();
      const button = [
        ...document.querySelectorAll<HTMLElement>('.jp-Dialog button')
      ].find(node => node.textContent === label);
      button!.click();
      await new Promise(resolve => requestAnimationFrame(resolve));
    };
    await press('Cancel');
    expect(tab.isDisposed).toBe(false);
    await press('Discard');
    expect(tab.isDisposed).toBe(true);
    expect(tab.model.isEdited).toBe(false);
  });

  it('is about the selected deployment without arguments', async () => {
    const { client, commands, deployments, model, tracker } = setUp();
    client.deployments = [aDeployment('digits')];
    expect(commands.isEnabled(CommandIDs.editProfile)).toBe(false);
    await deployments.load();
    await model.load();
    await model.refresh();
    model.selected = 'digits';
    expect(commands.isEnabled(CommandIDs.editProfile)).toBe(true);
    await commands.execute(CommandIDs.editProfile);
    expect(tracker.size).toBe(1);
    tracker.forEach(widget => widget.dispose());
    model.dispose();
  });
});
