import { showErrorMessage } from '@jupyterlab/apputils';
import * as React from 'react';

import type { Job } from '../api/wire';
import { EdiError } from '../api/errors';
import { usePanel } from './context';
import { plainText } from './plainText';
import { errorWords } from './words';

/** How far a job is, with the button that cancels it. */
export function JobProgress(props: { job: Job }): JSX.Element {
  const { job } = props;
  const { model, trans } = usePanel();
  const cancel = async (): Promise<void> => {
    try {
      await model.cancel(job.id);
    } catch (reason) {
      const { message } = errorWords(EdiError.from(reason), trans);
      await showErrorMessage(trans.__('Not cancelled'), message);
    }
  };
  const label = plainText(job.message);
  return (
    <div className="edi-Progress">
      <progress
        className="edi-Progress-bar"
        aria-label={trans.__('Progress of %1', job.deployment)}
        max={1}
        value={job.fraction ?? undefined}
      />
      <span className="edi-Progress-label" title={label}>
        {job.cancelling ? trans.__('Cancelling…') : label}
      </span>
      <button
        type="button"
        className="edi-Button edi-mod-small"
        aria-label={trans.__('Cancel the work on %1', job.deployment)}
        disabled={job.cancelling}
        onClick={() => void cancel()}
      >
        {trans.__('Cancel')}
      </button>
    </div>
  );
}
