import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { type Action, allows } from '../deployments/actions';
import type { IRow } from '../deployments/rows';
import type { IDeployments } from '../tokens';

/** What the commands work with. */
export interface ICommandOptions {
  commands: CommandRegistry;
  deployments: IDeployments;
  trans: TranslationBundle;
}

/** Arguments of a command without any. */
export const NO_ARGS = { type: 'object', properties: {} } as const;

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
  { current: model }: Pick<IDeployments, 'current'>,
  args: ReadonlyPartialJSONObject
): IRow | null {
  const shown = model?.environment?.id;
  if (!model || (args.environment ?? shown) !== shown) {
    return null;
  }
  return model.row(typeof args.name === 'string' ? args.name : model.selected);
}

/** Whether the action fits what the arguments name. */
export function can(
  deployments: Pick<IDeployments, 'current'>,
  args: ReadonlyPartialJSONObject,
  action: Action
): boolean {
  const row = rowOf(deployments, args);
  return row !== null && allows(row, action);
}
