import type { LabIcon } from '@jupyterlab/ui-components';
import {
  deleteIcon,
  refreshIcon,
  runIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import { DisposableSet, type IDisposable } from '@lumino/disposable';

import type { Action } from '../deployments/actions';
import { CommandIDs } from '../tokens';
import { can, DEPLOYMENT_ARGS, type ICommandOptions, rowOf } from './target';

/** Add the commands that start, stop, restart and undeploy. */
export function addLifecycleCommands(options: ICommandOptions): IDisposable {
  const { commands, deployments, trans } = options;
  const add = (
    action: Action,
    icon: LabIcon,
    label: string,
    caption: string
  ): IDisposable =>
    commands.addCommand(CommandIDs[action], {
      label,
      caption,
      icon,
      describedBy: { args: DEPLOYMENT_ARGS },
      isEnabled: args => can(deployments, args, action),
      execute: async args => {
        const row = rowOf(deployments, args);
        if (row && deployments.current && can(deployments, args, action)) {
          const { carryOut } = await import('./carryOut');
          await carryOut(action, row, deployments.current, commands, trans);
        }
      }
    });
  return DisposableSet.from([
    add(
      'start',
      runIcon,
      trans.__('Start'),
      trans.__('Start the deployment and wait until it is ready')
    ),
    add(
      'stop',
      stopIcon,
      trans.__('Stop…'),
      trans.__('Stop the deployment; it can be started again')
    ),
    add(
      'restart',
      refreshIcon,
      trans.__('Restart…'),
      trans.__('Stop the deployment and start it again')
    ),
    add(
      'undeploy',
      deleteIcon,
      trans.__('Undeploy…'),
      trans.__('Stop the deployment and remove it')
    )
  ]);
}
