import { StateDB } from '@jupyterlab/statedb';
import { CommandRegistry } from '@lumino/commands';
import { act, render } from '@testing-library/react';
import * as React from 'react';

import { DeploymentsModel } from '../deployments/model';
import { PanelBody } from '../panel/body';
import { type IPanelContext, PanelContext } from '../panel/context';
import { PanelState } from '../panel/state';
import { Drafts } from '../send/drafts';
import { CommandIDs } from '../tokens';
import { type FakeClient, trans } from './fakes';

/** A panel on a server in memory, and what it was asked to do. */
export interface IRenderedPanel extends IPanelContext {
  client: FakeClient;
  /** Commands that were executed, with their arguments. */
  executed: [string, object][];
  /** Open the details of a row and let them load what they need. */
  open(name: string): Promise<void>;
  /** Ask the server again, as the poll would. */
  refresh(): Promise<void>;
}

/** Draw the panel and wait for the first answer. */
export async function renderPanel(
  client: FakeClient,
  database = new StateDB()
): Promise<IRenderedPanel> {
  const commands = new CommandRegistry();
  const executed: [string, object][] = [];
  const model = new DeploymentsModel({ client });
  for (const id of Object.values(CommandIDs)) {
    commands.addCommand(id, {
      describedBy: { args: {} },
      execute: async args => {
        executed.push([id, args]);
        if (id === CommandIDs.start) {
          await model.act('start', 'local', String(args.name));
        }
      }
    });
  }
  const state = new PanelState(model, database);
  const drafts = new Drafts(database);
  const context = { model, state, drafts, commands, trans };
  await state.restore();
  render(
    <PanelContext.Provider value={context}>
      <PanelBody />
    </PanelContext.Provider>
  );
  model.isActive = true;
  const refresh = async (): Promise<void> => {
    await act(() => model.refresh());
  };
  await refresh();
  const open = (name: string): Promise<void> =>
    act(async () => {
      state.expanded = name;
    });
  return { ...context, client, executed, refresh, open };
}
