import type { IStateDB } from '@jupyterlab/statedb';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { DeploymentsModel } from '../deployments/model';
import { Drafts } from '../send/drafts';
import type { IPanelContext } from './context';
import { PanelState } from './state';

/**
 * Make what the panel's contents work with, as the last visit of the page has
 * left it.
 */
export async function furnish(options: {
  model: DeploymentsModel;
  commands: CommandRegistry;
  database: IStateDB | null;
  trans: TranslationBundle;
}): Promise<IPanelContext> {
  const { model, commands, database, trans } = options;
  const state = new PanelState(model, database);
  const drafts = new Drafts(database);
  await state.restore();
  return { model, state, drafts, commands, trans };
}
