import { refreshIcon, settingsIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { DisposableSet, type IDisposable } from '@lumino/disposable';

import type { EnvironmentInfo } from '../api/wire';
import { ediIcon, sendIcon } from '../icons';
import { CommandIDs, type IDeployments, type IPanelControl } from '../tokens';
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
      execute: async () => (await deployments.load()).learn()
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

    commands.addCommand(CommandIDs.pasteToken, {
      label: trans.__('Paste a Token…'),
      caption: trans.__('Use a token until the Jupyter server ends'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            environment: {
              type: 'string',
              description: 'Id of the environment; the one shown without it.'
            }
          }
        }
      },
      isEnabled: args => environmentOf(deployments, args)?.kind === 'remote',
      execute: async args => {
        const environment = environmentOf(deployments, args);
        if (environment?.kind === 'remote') {
          const { askForToken } = await import('../environments/dialog');
          await askForToken(await deployments.load(), environment, trans);
        }
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

/** The environment that the arguments name, else the one that is shown. */
function environmentOf(
  { current: model }: Pick<IDeployments, 'current'>,
  args: ReadonlyPartialJSONObject
): EnvironmentInfo | null {
  const id = args.environment ?? model?.environment?.id;
  return model?.environments.find(known => known.id === id) ?? null;
}
