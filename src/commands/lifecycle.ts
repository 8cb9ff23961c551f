import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import {
  deleteIcon,
  refreshIcon,
  runIcon,
  stopIcon
} from '@jupyterlab/ui-components';
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

/** What can be done to a deployment with one command. */
type Action = 'start' | 'stop' | 'restart' | 'undeploy';

/** What one of these commands says. */
interface IWords {
  label: string;
  caption: string;
  icon: LabIcon;
  /** Title of the error when it did not work. */
  failed: (name: string) => string;
  /** What is asked first, if it is not done at once. */
  question?: { title: (name: string) => string; body: string; verb: string };
}

/** Add the commands that start, stop, restart and undeploy. */
export function addLifecycleCommands(options: ICommandOptions): IDisposable {
  const { model, trans } = options;
  return DisposableSet.from([
    addAction('start', options, {
      label: trans.__('Start'),
      caption: trans.__('Start the deployment and wait until it is ready'),
      icon: runIcon,
      failed: name => trans.__('%1 was not started', name)
    }),
    addAction('stop', options, {
      label: trans.__('Stop…'),
      caption: trans.__('Stop the deployment; it can be started again'),
      icon: stopIcon,
      failed: name => trans.__('%1 was not stopped', name),
      question: {
        title: name => trans.__('Stop %1?', name),
        body: trans.__('It answers no requests until it is started again.'),
        verb: trans.__('Stop')
      }
    }),
    addAction('restart', options, {
      label: trans.__('Restart…'),
      caption: trans.__('Stop the deployment and start it again'),
      icon: refreshIcon,
      failed: name => trans.__('%1 was not restarted', name),
      question: {
        title: name => trans.__('Restart %1?', name),
        body: trans.__('It answers no requests until it is ready again.'),
        verb: trans.__('Restart')
      }
    }),
    addAction('undeploy', options, {
      label: trans.__('Undeploy…'),
      caption: trans.__('Stop the deployment and remove it'),
      icon: deleteIcon,
      failed: name => trans.__('%1 was not undeployed', name),
      question: {
        title: name => trans.__('Undeploy %1?', name),
        get body() {
          return trans.__(
            'It is stopped and removed from %1. The folder that it was deployed from stays as it is.',
            model.environment?.title ?? ''
          );
        },
        verb: trans.__('Undeploy')
      }
    })
  ]);
}

function addAction(
  action: Action,
  options: ICommandOptions,
  words: IWords
): IDisposable {
  const { commands, model, trans } = options;
  const { failed, question, label, caption, icon } = words;

  const isAgreed = async (name: string): Promise<boolean> => {
    if (question === undefined) {
      return true;
    }
    const { button } = await showDialog({
      title: question.title(name),
      body: question.body,
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.warnButton({ label: question.verb })
      ],
      defaultButton: 0
    });
    return button.accept;
  };

  return commands.addCommand(CommandIDs[action], {
    label,
    caption,
    icon,
    describedBy: { args: DEPLOYMENT_ARGS },
    isEnabled: args => can(model, args, action),
    execute: async args => {
      const row = rowOf(model, args);
      if (!row || !allows(row, action) || !(await isAgreed(row.name))) {
        return;
      }
      try {
        await model.act(action, row.environment, row.name);
      } catch (reason) {
        const { showEdiError } = await import('./errors');
        await showEdiError(failed(row.name), reason, trans);
      }
    }
  });
}

function can(
  model: DeploymentsModel,
  args: ReadonlyPartialJSONObject,
  action: Action
): boolean {
  const row = rowOf(model, args);
  return row !== null && allows(row, action);
}
