import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import type { DeploymentsModel } from '../deployments/model';
import type { Drafts } from '../send/drafts';
import type { PanelState } from './state';

/** What every component of the panel may use. */
export interface IPanelContext {
  model: DeploymentsModel;
  state: PanelState;
  drafts: Drafts;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

export const PanelContext = React.createContext<IPanelContext | null>(null);

/** The panel that the component is part of. */
export function usePanel(): IPanelContext {
  const context = React.useContext(PanelContext);
  if (context === null) {
    throw new Error('This component is used outside of the EDI panel.');
  }
  return context;
}
