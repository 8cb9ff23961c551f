import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { EdiError } from '../api/errors';
import { usePanel } from './context';
import { CopyButton } from './copy';
import { plainText } from './plainText';
import { errorWords } from './words';

const ENABLE = 'jupyter server extension enable edi_labext';

/** In place of the list when there is nothing to show at all. */
export function ErrorView(props: {
  error: EdiError;
  onRetry: () => void;
}): JSX.Element {
  const { error, onRetry } = props;
  const { trans } = usePanel();
  return (
    <div className="edi-Error">
      <ErrorText error={error} trans={trans} />
      {error.code === 'not_installed' && (
        <p className="edi-Error-command">
          <code>{ENABLE}</code>
          <CopyButton text={ENABLE} label={trans.__('Copy the command')} />
        </p>
      )}
      <button type="button" className="edi-Button" onClick={onRetry}>
        {trans.__('Try again')}
      </button>
    </div>
  );
}

/** Above a list that could not be refreshed. */
export function StaleBanner(props: {
  error: EdiError;
  received: number;
}): JSX.Element {
  const { model, trans } = usePanel();
  const { message, hint } = errorWords(props.error, trans);
  const time = new Date(props.received).toLocaleTimeString();
  return (
    <div className="edi-Banner edi-mod-warn" role="status">
      <div className="edi-Banner-text">
        <p>{plainText(message)}</p>
        {hint && <p>{plainText(hint)}</p>}
        <p className="edi-Secondary">
          {trans.__('The list is as of %1.', time)}
        </p>
      </div>
      <button
        type="button"
        className="edi-Button"
        onClick={() => void model.refresh()}
      >
        {trans.__('Retry')}
      </button>
    </div>
  );
}

/** What happened, what to do, and on demand all that is known. */
export function ErrorText(props: {
  error: EdiError;
  trans: TranslationBundle;
  /** Whether all that is known shows at once. */
  isOpen?: boolean;
}): JSX.Element {
  const { error, trans, isOpen } = props;
  const { message, hint } = errorWords(error, trans);
  return (
    <div className="edi-ErrorText" role="alert">
      <p className="edi-ErrorText-message">{plainText(message)}</p>
      {hint && <p>{plainText(hint)}</p>}
      {(error.detail || error.requestId) && (
        <details open={isOpen}>
          <summary>{trans.__('Details')}</summary>
          {error.detail && (
            <pre className="edi-Log" tabIndex={0}>
              {plainText(error.detail)}
            </pre>
          )}
          {error.requestId && (
            <p className="edi-Secondary">
              {trans.__('Request %1', error.requestId)}
            </p>
          )}
        </details>
      )}
    </div>
  );
}
