import type { LabIcon } from '@jupyterlab/ui-components';
import {
  closeIcon,
  deleteIcon,
  refreshIcon,
  runIcon,
  settingsIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IRow } from '../deployments/rows';
import { allows } from '../deployments/actions';
import { sendIcon } from '../icons';
import { CommandIDs } from '../tokens';
import { usePanel } from './context';

/** The buttons that make sense for the row as it is now. */
export function RowActions(props: {
  row: IRow;
  isCurrent: boolean;
}): JSX.Element {
  const { row, isCurrent } = props;
  const { commands, model, trans } = usePanel();
  const { environment, name, failure } = row;
  const run = (command: string): void => {
    void commands.execute(command, { environment, name });
  };
  const tabIndex = isCurrent ? 0 : -1;
  return (
    <div className="edi-Row-actions">
      {row.state === 'ready' && allows(row, 'send') && (
        <Action
          icon={sendIcon}
          label={trans.__('Send a request to %1', name)}
          tabIndex={tabIndex}
          onClick={() => run(CommandIDs.send)}
        />
      )}
      {allows(row, 'start') && (
        <Action
          icon={runIcon}
          label={trans.__('Start %1', name)}
          tabIndex={tabIndex}
          onClick={() => run(CommandIDs.start)}
        />
      )}
      {allows(row, 'restart') && (
        <Action
          icon={refreshIcon}
          label={trans.__('Restart %1', name)}
          tabIndex={tabIndex}
          onClick={() => run(CommandIDs.restart)}
        />
      )}
      {allows(row, 'stop') && (
        <Action
          icon={stopIcon}
          label={trans.__('Stop %1', name)}
          tabIndex={tabIndex}
          onClick={() => run(CommandIDs.stop)}
        />
      )}
      {row.deployment !== null && (
        <Action
          icon={settingsIcon}
          label={trans.__('Edit the profile of %1', name)}
          tabIndex={tabIndex}
          onClick={() => run(CommandIDs.editProfile)}
        />
      )}
      {allows(row, 'undeploy') && (
        <Action
          icon={deleteIcon}
          label={trans.__('Undeploy %1', name)}
          tabIndex={tabIndex}
          onClick={() => run(CommandIDs.undeploy)}
        />
      )}
      {failure && (
        <Action
          icon={closeIcon}
          label={trans.__('Dismiss %1', name)}
          tabIndex={tabIndex}
          onClick={() => model.dismiss(failure.id)}
        />
      )}
    </div>
  );
}

function Action(props: {
  icon: LabIcon;
  label: string;
  tabIndex: number;
  onClick: () => void;
}): JSX.Element {
  return (
    <button
      type="button"
      className="edi-IconButton"
      aria-label={props.label}
      title={props.label}
      tabIndex={props.tabIndex}
      onClick={props.onClick}
    >
      <props.icon.react tag="span" aria-hidden="true" />
    </button>
  );
}
