import { refreshIcon, settingsIcon } from '@jupyterlab/ui-components';
import { DisposableSet, type IDisposable } from '@lumino/disposable';

import { ediIcon, sendIcon } from '../icons';
import { CommandIDs, type IPanelControl } from '../tokens';
import {
  DEPLOYMENT_ARGS,
  type ICommandOptions,
  NO_ARGS,
  rowOf
} from './target';

/** Add the commands that need the panel. */
export function addPanelCommands(
  options: ICommandOptions & { panel: IPanelControl }
): IDisposable {
  const { commands, deployments, panel, trans } = options;
  return DisposableSet.from([
    commands.addCommand(CommandIDs.openPanel, {
      label: trans.__('Show the EDI Panel'),
      caption: trans.__('Show the deployments in the sidebar'),
      icon: ediIcon,
      describedBy: { args: NO_ARGS },
      execute: () => panel.show()
    }),

    commands.addCommand(CommandIDs.refresh, {
      label: trans.__('Refresh Deployments'),
      caption: trans.__('Refresh the list of deployments'),
      icon: refreshIcon,
      describedBy: { args: NO_ARGS },
      execute: async () => (await deployments.load()).refresh()
    }),

    commands.addCommand(CommandIDs.environments, {
      label: trans.__('Manage EDI Environments…'),
      caption: trans.__('Add, test and remove environments'),
      icon: settingsIcon,
      describedBy: { args: NO_ARGS },
      execute: async () => {
        const { manageEnvironments } = await import('../environments/dialog');
        await manageEnvironments({ model: await deployments.load(), trans });
      }
    }),

    commands.addCommand(CommandIDs.send, {
      label: trans.__('Send a Request'),
      caption: trans.__('Write a request to the deployment and send it'),
      icon: sendIcon,
      describedBy: { args: DEPLOYMENT_ARGS },
      isEnabled: args => rowOf(deployments, args)?.state === 'ready',
      execute: async args => {
        const row = rowOf(deployments, args);
        if (row) {
          await panel.reveal(row.name, 'payload');
        }
      }
    })
  ]);
}
