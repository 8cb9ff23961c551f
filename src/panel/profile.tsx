import * as React from 'react';

import type { IRow } from '../deployments/rows';
import { CommandIDs } from '../tokens';
import { usePanel } from './context';
import { plainText } from './plainText';
import { gpuWord } from './words';

/** What a deployment waits for, and the way to ask for something else. */
export function PendingCard(props: { row: IRow }): JSX.Element {
  const { row } = props;
  const { trans } = usePanel();
  return (
    <section
      className="edi-Failure"
      aria-label={trans.__('Why %1 is pending', row.name)}
    >
      <p className="edi-Failure-reason edi-mod-warn">
        {plainText(row.deployment?.reason ?? '') ||
          trans.__('The service gives no reason.')}
      </p>
      <EditProfileButton row={row} />
    </section>
  );
}

/** How a deployment runs, in one line, and the way to change it. */
export function ProfileLine(props: { row: IRow }): JSX.Element {
  const { row } = props;
  const { trans } = usePanel();
  const { gpu, next_profile, profile_changed } = row.deployment ?? {};
  const facts = [gpu === 'no' ? trans.__('No GPU') : gpuWord(gpu, trans)];
  if (profile_changed) {
    facts.push(trans.__('changes wait for restart'));
  }
  if (next_profile) {
    facts.push(trans.__('another profile is saved for the next start'));
  }
  return (
    <div className="edi-ProfileLine">
      <span className="edi-Secondary">{facts.filter(Boolean).join(' · ')}</span>
      <EditProfileButton row={row} />
    </div>
  );
}

function EditProfileButton(props: { row: IRow }): JSX.Element {
  const { environment, name } = props.row;
  const { commands, trans } = usePanel();
  return (
    <button
      type="button"
      className="edi-Button edi-mod-small"
      onClick={() =>
        void commands.execute(CommandIDs.editProfile, { environment, name })
      }
    >
      {trans.__('Edit profile…')}
    </button>
  );
}
