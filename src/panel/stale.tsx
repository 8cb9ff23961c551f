import * as React from 'react';

import type { EdiError } from '../api/errors';
import { usePanel } from './context';
import { formatAge } from './format';
import { plainText } from './plainText';
import { isOfToken, TokenWays } from './tokenWays';
import { useNow } from './useNow';
import { errorWords } from './words';

/** Above a list that could not be refreshed: why, and how old it is. */
export function StaleBanner(props: {
  error: EdiError;
  /** Milliseconds since the epoch at which the list arrived. */
  received: number;
}): JSX.Element {
  const { model, trans } = usePanel();
  const { message, hint } = errorWords(props.error, trans);
  const { environment } = model;
  const now = useNow();
  return (
    <div className="edi-Banner edi-mod-warn">
      <div className="edi-Banner-text">
        <div role="status">
          <p>{plainText(message)}</p>
          {hint && <p>{plainText(hint)}</p>}
        </div>
        <p className="edi-Secondary">
          <time
            dateTime={new Date(props.received).toISOString()}
            title={new Date(props.received).toLocaleString()}
          >
            {trans.__('Updated %1', formatAge(now - props.received, trans))}
          </time>
        </p>
      </div>
      {environment?.kind === 'remote' && isOfToken(props.error) ? (
        <TokenWays environment={environment} />
      ) : (
        <button
          type="button"
          className="edi-Button"
          onClick={() => void model.learn()}
        >
          {trans.__('Retry')}
        </button>
      )}
    </div>
  );
}
