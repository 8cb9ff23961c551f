import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { EdiError } from '../api/errors';
import { Command } from './command';
import { usePanel } from './context';
import { plainText } from './plainText';
import { reloadPage } from './reload';
import { isOfToken, sourceOf, TokenWays } from './tokenWays';
import { errorWords, isOfJupyter } from './words';

const ENABLE = 'jupyter server extension enable edi_labext';
const INSTALL = 'pip install edi_labext';

/** In place of the list when there is nothing to show: what it is, and what to do. */
export function ErrorView(props: { error: EdiError }): JSX.Element {
  const { error } = props;
  const { model, trans } = usePanel();
  const usable = model.environments.find(
    ({ id, problem }) => problem === null && id !== model.environment?.id
  );
  const isSignedOut = error.code === 'signed_out';
  const { environment } = model;
  return (
    <div className="edi-Error">
      <ErrorText error={error} trans={trans} />
      <Remedy error={error} />
      <div className="edi-Error-buttons">
        {isSignedOut && (
          <button
            type="button"
            className="edi-Button jp-mod-styled jp-mod-accept"
            onClick={reloadPage}
          >
            {trans.__('Reload the page')}
          </button>
        )}
        {environment?.kind === 'remote' && isOfToken(error) ? (
          <TokenWays environment={environment} />
        ) : (
          <button
            type="button"
            className="edi-Button"
            onClick={() => void model.learn()}
          >
            {trans.__('Try again')}
          </button>
        )}
        {usable && !isOfJupyter(error) && (
          <button
            type="button"
            className="edi-LinkButton"
            onClick={() => model.setEnvironment(usable.id)}
          >
            {trans.__('Show %1', usable.title)}
          </button>
        )}
      </div>
    </div>
  );
}

/** The command that goes with the hint of an error, if there is one. */
function Remedy(props: { error: EdiError }): JSX.Element | null {
  const { error } = props;
  const { model, trans } = usePanel();
  if (error.code === 'not_installed') {
    return (
      <>
        <Command text={ENABLE} />
        <p className="edi-Secondary">
          {trans.__(
            'If it says that there is no such module, install it first:'
          )}
        </p>
        <Command text={INSTALL} />
      </>
    );
  }
  const { environment } = model;
  const variable = environment?.token_variable;
  if (!variable || !isOfToken(error) || sourceOf(environment) !== 'variable') {
    return null;
  }
  return (
    <>
      <p className="edi-Secondary">
        {trans.__(
          'In the terminal that starts JupyterLab; it asks for the token and does not show it:'
        )}
      </p>
      {/* Neither shown while it is typed nor kept in the history of the shell. */}
      <Command text={`read -rs ${variable}; export ${variable}`} />
    </>
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
