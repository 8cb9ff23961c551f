import * as React from 'react';

import type { Deployment } from '../api/wire';
import { usePanel } from './context';
import { CopyButton } from './copy';
import { plainText } from './plainText';

/** Why a deployment does not run, with the last lines that it wrote. */
export function FailureCard(props: { deployment: Deployment }): JSX.Element {
  const { name, reason, log_tail } = props.deployment;
  const { trans } = usePanel();
  const log = plainText(log_tail.join('\n'));
  const end = React.useRef<HTMLPreElement>(null);
  React.useLayoutEffect(() => {
    // The cause is in the last lines.
    end.current?.scrollTo?.({ top: end.current.scrollHeight });
  }, [log]);
  return (
    <section
      className="edi-Failure"
      aria-label={trans.__('Why %1 failed', name)}
    >
      <p className="edi-Failure-reason">
        {plainText(reason) || trans.__('The service gives no reason.')}
      </p>
      {log !== '' && (
        <>
          <div className="edi-Heading">
            <span>{trans.__('Last log lines')}</span>
            <CopyButton text={log} label={trans.__('Copy the log lines')} />
          </div>
          <pre
            ref={end}
            className="edi-Log"
            tabIndex={0}
            aria-label={trans.__('Last log lines of %1', name)}
          >
            {log}
          </pre>
        </>
      )}
    </section>
  );
}
