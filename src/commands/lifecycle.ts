import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { deleteIcon, runIcon, stopIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { DisposableSet, type IDisposable } from '@lumino/disposable';

import type { DeploymentsModel } from '../deployments/model';
import type { IRow } from '../deployments/rows';
import { allows } from '../deployments/rows';
import { CommandIDs } from '../tokens';

/** What the commands work with. */
export interface ICommandOptions {
  commands: CommandRegistry;
  model: DeploymentsModel;
  trans: TranslationBundle;
}

/** Arguments of a command about one deployment. */
export const DEPLOYMENT_ARGS = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      description: 'Name of the deployment; the selected one without it.'
    },
    environment: {
      type: 'string',
      description: 'Id of the environment; the one shown without it.'
    }
  }
} as const;

/**
 * The row that a command is about: the one its arguments name, else the
 * selected one; null when there is none in the environment that is shown.
 */
export function rowOf(
  model: DeploymentsModel,
  args: ReadonlyPartialJSONObject
): IRow | null {
  const environment = args.environment ?? model.environment?.id;
  if (environment !== model.environment?.id) {
    return null;
  }
  return model.row(typeof args.name === 'string' ? args.name : model.selected);
}

/** Add the commands that start, stop and undeploy. */
export function addLifecycleCommands(options: ICommandOptions): IDisposable {
  const { commands, model, trans } = options;

  const act = async (
    kind: 'start' | 'stop' | 'undeploy',
    row: IRow,
    title: string
  ): Promise<void> => {
    try {
      await model.act(kind, row.environment, row.name);
    } catch (reason) {
      const { showEdiError } = await import('./errors');
      await showEdiError(title, reason, trans);
    }
  };

  return DisposableSet.from([
    commands.addCommand(CommandIDs.start, {
      label: trans.__('Start'),
      caption: trans.__('Start the deployment and wait until it is ready'),
      icon: runIcon,
      describedBy: { args: DEPLOYMENT_ARGS },
      isEnabled: args => can(model, args, 'start'),
      execute: async args => {
        const row = rowOf(model, args);
        if (row && allows(row, 'start')) {
          await act('start', row, trans.__('%1 was not started', row.name));
        }
      }
    }),

    commands.addCommand(CommandIDs.stop, {
      label: trans.__('Stop…'),
      caption: trans.__('Stop the deployment; it can be started again'),
      icon: stopIcon,
      describedBy: { args: DEPLOYMENT_ARGS },
      isEnabled: args => can(model, args, 'stop'),
      execute: async args => {
        const row = rowOf(model, args);
        if (!row || !allows(row, 'stop')) {
          return;
        }
        const { button } = await showDialog({
          title: trans.__('Stop %1?', row.name),
          body: trans.__('It answers no requests until it is started again.'),
          buttons: [
            Dialog.cancelButton({ label: trans.__('Cancel') }),
            Dialog.warnButton({ label: trans.__('Stop') })
          ],
          defaultButton: 0
        });
        if (button.accept) {
          await act('stop', row, trans.__('%1 was not stopped', row.name));
        }
      }
    }),

    commands.addCommand(CommandIDs.undeploy, {
      label: trans.__('Undeploy…'),
      caption: trans.__('Stop the deployment and remove it'),
      icon: deleteIcon,
      describedBy: { args: DEPLOYMENT_ARGS },
      isEnabled: args => can(model, args, 'undeploy'),
      execute: async args => {
        const row = rowOf(model, args);
        if (!row || !allows(row, 'undeploy')) {
          return;
        }
        const { button } = await showDialog({
          title: trans.__('Undeploy %1?', row.name),
          body: trans.__(
            'It is stopped and removed from %1. The folder that it was deployed from stays as it is.',
            model.environment?.title ?? row.environment
          ),
          buttons: [
            Dialog.cancelButton({ label: trans.__('Cancel') }),
            Dialog.warnButton({ label: trans.__('Undeploy') })
          ],
          defaultButton: 0
        });
        if (button.accept) {
          await act(
            'undeploy',
            row,
            trans.__('%1 was not undeployed', row.name)
          );
        }
      }
    })
  ]);
}

function can(
  model: DeploymentsModel,
  args: ReadonlyPartialJSONObject,
  action: 'start' | 'stop' | 'undeploy'
): boolean {
  const row = rowOf(model, args);
  return row !== null && allows(row, action);
}
