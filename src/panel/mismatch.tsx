import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { type IMismatch, isOlder } from '../api/versions';
import { Command } from './command';
import { usePanel } from './context';
import { reloadPage } from './reload';

/**
 * In place of the list when the halves are of different versions, since either may
 * misunderstand the other: which one is older, and what to do.
 */
export function MismatchView(props: { mismatch: IMismatch }): JSX.Element {
  const { mismatch } = props;
  const { model, state, trans } = usePanel();
  const { page, server, newer, step } = mismatch;
  return (
    <div className="edi-Error" role="alert">
      <p className="edi-Error-title">
        {trans.__('The two parts of edi_labext do not belong together.')}
      </p>
      <dl className="edi-Error-facts">
        <dt>{trans.__('This page')}</dt>
        <dd>
          {page}
          {isOlder(page, server) && ` · ${trans.__('older')}`}
        </dd>
        <dt>{trans.__('Jupyter server')}</dt>
        <dd>
          {server}
          {isOlder(server, page) && ` · ${trans.__('older')}`}
        </dd>
      </dl>
      {step === 'install' && (
        <>
          <p>
            {trans.__(
              'Install one version for both where the Jupyter server runs:'
            )}
          </p>
          <Command text={`pip install edi_labext==${newer}`} />
        </>
      )}
      <p>{nextStep(mismatch, trans)}</p>
      <div className="edi-Error-buttons">
        {step === 'reload' ? (
          <button
            type="button"
            className="edi-Button jp-mod-styled jp-mod-accept"
            onClick={reloadPage}
          >
            {trans.__('Reload the page')}
          </button>
        ) : (
          <button
            type="button"
            className="edi-Button"
            onClick={() => void model.learn()}
          >
            {trans.__('Check again')}
          </button>
        )}
        <button
          type="button"
          className="edi-LinkButton"
          onClick={() => state.acceptVersion(server)}
        >
          {trans.__('Show the list anyway')}
        </button>
      </div>
    </div>
  );
}

function nextStep({ step }: IMismatch, trans: TranslationBundle): string {
  switch (step) {
    case 'reload':
      return trans.__('The page was loaded before the last update. Reload it.');
    case 'restart':
      return trans.__(
        'The server was started before the last update. Restart the Jupyter server, then reload the page.'
      );
    case 'install':
      return trans.__('Then restart the Jupyter server and reload the page.');
  }
}
