import * as React from 'react';

import { plainText } from '../panel/plainText';
import { ErrorText } from '../panel/errors';
import { errorWords } from '../panel/words';
import { useProfile } from './context';

/** What has come of saving, and what the deployment waits for. */
export function Notices(): JSX.Element {
  const { model } = useProfile();
  const { notice, row, work } = model;
  // The reason why it waits is in the notice already.
  const isTold = notice?.kind === 'not-running';
  const place = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    if (notice !== null) {
      // jsdom has no layout and so no scrolling.
      place.current?.scrollIntoView?.({ block: 'nearest' });
    }
  }, [notice]);
  return (
    <>
      {!isTold && work === 'none' && row?.state === 'pending' && (
        <p className="edi-Notice edi-mod-warn">
          {plainText(row.deployment?.reason ?? '')}
        </p>
      )}
      <div ref={place} role="status">
        <Notice />
      </div>
    </>
  );
}

function Notice(): JSX.Element | null {
  const { model, trans } = useProfile();
  const { name, notice } = model;
  switch (notice?.kind) {
    case 'saved':
      return (
        <p className="edi-Notice edi-mod-good">
          {notice.isRunning
            ? trans.__('Saved. %1 runs with it.', name)
            : trans.__('Saved. It takes effect at the next start.')}
        </p>
      );
    case 'not-running': {
      const { message, hint } = errorWords(notice.error, trans);
      return (
        <div className="edi-Notice edi-mod-warn">
          <p>
            {notice.error.code === 'pending'
              ? trans.__('Saved, and %1 is pending.', name)
              : trans.__('Saved, but %1 does not run with it yet.', name)}
          </p>
          <p>{plainText(message)}</p>
          {hint && <p className="edi-Secondary">{plainText(hint)}</p>}
        </div>
      );
    }
    case 'failed':
      return (
        <div className="edi-Notice edi-mod-bad">
          <ErrorText error={notice.error} trans={trans} />
        </div>
      );
    case 'waiting':
      return (
        <p className="edi-sr-only">
          {trans.__('Saved for the next start of %1.', name)}
        </p>
      );
    case 'moved':
      return (
        <p className="edi-Notice edi-mod-warn">
          {trans.__(
            'Somebody has saved another profile meanwhile. Your edits are on top of it; look at the changes again before you save.'
          )}
        </p>
      );
    default:
      return null;
  }
}
