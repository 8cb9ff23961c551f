import * as React from 'react';

import { usePanel } from './context';

/** The outline of a list, until the first answer is here. */
export function LoadingView(): JSX.Element {
  const { trans } = usePanel();
  return (
    <div className="edi-Loading" role="status">
      <span className="edi-sr-only">{trans.__('Loading deployments…')}</span>
      <div className="edi-Skeleton" aria-hidden="true" />
      <div className="edi-Skeleton" aria-hidden="true" />
      <div className="edi-Skeleton" aria-hidden="true" />
    </div>
  );
}

/** Says why the list stands still while the embedded engine comes up. */
export function EngineBanner(): JSX.Element {
  const { trans } = usePanel();
  return (
    <p className="edi-Banner" role="status">
      <span className="edi-Spinner" aria-hidden="true" />
      <span>
        {trans.__(
          'The serving engine is starting. Deployments that were running come back with it.'
        )}
      </span>
    </p>
  );
}
