import * as React from 'react';

import type { Deployment } from '../api/wire';
import { EdiError } from '../api/errors';
import type { IRow } from '../deployments/rows';
import { SendForm } from '../send/form';
import { usePanel } from './context';
import { CopyButton } from './copy';
import { ErrorText } from './errors';
import { FailureCard } from './failure';
import { PendingCard, ProfileLine } from './profile';
import { formatBytes, formatTime } from './format';

/** What an open row shows. */
export function Details(props: { row: IRow }): JSX.Element {
  const { row } = props;
  const { trans } = usePanel();
  const { deployment, failure } = row;
  if (deployment === null) {
    return failure?.error ? (
      <ErrorText error={EdiError.fromInfo(failure.error)} trans={trans} />
    ) : (
      <p className="edi-Secondary">
        {trans.__('The details show when it has been deployed.')}
      </p>
    );
  }
  const needsReason =
    deployment.state === 'failed' || deployment.state === 'unknown';
  return (
    <>
      {needsReason && <FailureCard deployment={deployment} />}
      {deployment.state === 'pending' && <PendingCard row={row} />}
      <SendForm row={row} />
      {deployment.state !== 'pending' && <ProfileLine row={row} />}
      <Facts deployment={deployment} />
    </>
  );
}

function Facts(props: { deployment: Deployment }): JSX.Element {
  const { deployment } = props;
  const { trans } = usePanel();
  const facts: [string, string][] = [
    [trans.__('Kernel file'), deployment.kernel_path],
    [trans.__('Runtime'), deployment.runtime],
    [trans.__('Tag'), deployment.tag],
    [trans.__('Size'), formatBytes(deployment.size)],
    [trans.__('Owner'), deployment.creator],
    [trans.__('Deployed'), formatTime(deployment.create_time, trans)],
    [trans.__('Started'), formatTime(deployment.started_at, trans)]
  ];
  return (
    <details className="edi-Facts">
      <summary>{trans.__('About this deployment')}</summary>
      <dl>
        {deployment.service_uri !== '' && (
          <>
            <dt>{trans.__('Address')}</dt>
            <dd className="edi-Facts-address">
              <code title={deployment.service_uri}>
                {deployment.service_uri}
              </code>
              <CopyButton
                text={deployment.service_uri}
                label={trans.__('Copy the address')}
              />
            </dd>
          </>
        )}
        {facts
          .filter(([, value]) => value !== '')
          .map(([term, value]) => (
            <React.Fragment key={term}>
              <dt>{term}</dt>
              <dd>{value}</dd>
            </React.Fragment>
          ))}
      </dl>
    </details>
  );
}
