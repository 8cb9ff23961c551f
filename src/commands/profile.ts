import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { WidgetTracker } from '@jupyterlab/apputils';
import type { IStateDB } from '@jupyterlab/statedb';
import { settingsIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { Widget } from '@lumino/widgets';

import type { ProfileDrafts } from '../profile/drafts';
import type { ProfileTab } from '../profile/widget';
import { CommandIDs, type IDeployments } from '../tokens';
import { DEPLOYMENT_ARGS, type ICommandOptions, rowOf } from './target';

/** Which profile a command is about. */
interface ITarget {
  environment: string;
  name: string;
}

/** Add the command that opens a profile in a tab of its own. */
export function addProfileCommand(
  options: ICommandOptions & {
    shell: JupyterFrontEnd.IShell;
    database: IStateDB | null;
    tracker: WidgetTracker<ProfileTab>;
  }
): IDisposable {
  const { commands, deployments, shell, database, tracker, trans } = options;
  let drafts: ProfileDrafts | null = null;

  const open = async (target: ITarget): Promise<Widget> => {
    const [{ ProfileDrafts, ProfileTab }, model] = await Promise.all([
      import('../profile'),
      deployments.load()
    ]);
    const id = ProfileTab.idOf(target.environment, target.name);
    let tab = tracker.find(widget => widget.id === id);
    if (tab === undefined) {
      drafts ??= new ProfileDrafts(database);
      tab = new ProfileTab({ deployments: model, drafts, trans, ...target });
      void tracker.add(tab);
    }
    if (!tab.isAttached) {
      // After a reload, JupyterLab takes a tab out again that its saved layout does
      // not know yet, and leaves it with its tracker.
      shell.add(tab, 'main', { type: 'EDI profile' });
    }
    shell.activateById(id);
    return tab;
  };

  return commands.addCommand(CommandIDs.editProfile, {
    label: trans.__('Edit Profile…'),
    caption: trans.__('Change GPU, CPU, memory, kernels and time limits'),
    icon: settingsIcon,
    describedBy: { args: DEPLOYMENT_ARGS },
    isEnabled: args => targetOf(deployments, args) !== null,
    execute: async args => {
      const target = targetOf(deployments, args);
      if (target !== null) {
        return open(target);
      }
    }
  });
}

/**
 * What the arguments name, whether or not it is in the list: a tab comes back
 * after a reload before there is a list. Else the selected deployment.
 */
function targetOf(
  deployments: IDeployments,
  args: ReadonlyPartialJSONObject
): ITarget | null {
  const { environment, name } = args;
  if (typeof environment === 'string' && typeof name === 'string') {
    return { environment, name };
  }
  const row = rowOf(deployments, args);
  return row?.deployment
    ? { environment: row.environment, name: row.name }
    : null;
}
