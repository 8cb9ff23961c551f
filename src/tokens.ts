import { Token } from '@lumino/coreutils';

import type { LazyDeployments } from './deployments/lazy';

/** The deployments of the chosen environment, shared by panel and commands. */
export type IDeployments = LazyDeployments;

export const IDeployments = new Token<IDeployments>(
  'edi_labext:IDeployments',
  'The deployments of the chosen EDI environment and what is being done to them.'
);

/** The commands of this extension. */
export namespace CommandIDs {
  export const openPanel = 'edi:open-panel';
  export const environments = 'edi:environments';
  export const pasteToken = 'edi:paste-token';
  export const refresh = 'edi:refresh';
  export const deployFolder = 'edi:deploy-folder';
  export const deploySample = 'edi:deploy-sample';
  export const start = 'edi:start';
  export const stop = 'edi:stop';
  export const restart = 'edi:restart';
  export const undeploy = 'edi:undeploy';
  export const send = 'edi:send';
  export const editProfile = 'edi:edit-profile';
}

/** What commands may ask of the panel. */
export interface IPanelControl {
  /** Show the panel. */
  show(): void;
  /** Show the panel with the row open and give the row or its editor the focus. */
  reveal(name: string, focus: 'row' | 'payload'): Promise<void>;
}

export const IPanelControl = new Token<IPanelControl>(
  'edi_labext:IPanelControl',
  'Shows the EDI panel and opens rows in it.'
);
