import * as React from 'react';

import { ediIcon } from '../icons';
import { CommandIDs } from '../tokens';
import { usePanel } from './context';

/** What the thing is and how to get one, for who has none. */
export function EmptyView(): JSX.Element {
  const { commands, trans } = usePanel();
  return (
    <div className="edi-Empty">
      <ediIcon.react className="edi-Empty-icon" tag="span" aria-hidden="true" />
      <p className="edi-Empty-title">{trans.__('No deployments yet.')}</p>
      <p>
        {trans.__(
          'A deployment turns a folder with a kernel file into a REST service.'
        )}
      </p>
      <button
        type="button"
        className="edi-Button jp-mod-styled jp-mod-accept"
        onClick={() => void commands.execute(CommandIDs.deploySample)}
      >
        {trans.__('Deploy the ping-pong sample')}
      </button>
      <p className="edi-Empty-aside">
        {trans.__('or right-click a folder in the file browser')}
      </p>
    </div>
  );
}
