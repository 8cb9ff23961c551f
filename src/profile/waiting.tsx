import * as React from 'react';

import { formatTime } from '../panel/format';
import { Changes } from './changes';
import { useProfile } from './context';

/** What waits on the Jupyter server for the next start, and what to do about it. */
export function WaitingProfile(props: {
  /** Ask whether to forget it. */
  onDiscard: () => void;
}): JSX.Element | null {
  const { model, isBusy, trans, id } = useProfile();
  const { look, name } = model;
  if (look.kind !== 'ready' || look.view.next === null) {
    return null;
  }
  const { next, started } = look.view;
  const title = `${id}-waiting`;
  return (
    <section
      className={next.outdated ? 'edi-Waiting edi-mod-warn' : 'edi-Waiting'}
      aria-labelledby={title}
    >
      <div className="edi-Waiting-head">
        <div className="edi-Waiting-text">
          <h2 id={title} className="edi-Waiting-title">
            {trans.__('Saved for the next start')}
          </h2>
          <p>{explanation(next.outdated, started)}</p>
          <p className="edi-Secondary">
            {formatTime(next.saved_at, trans)} ·{' '}
            {trans._n('%1 field', '%1 fields', next.changes.length)}
          </p>
        </div>
        <div className="edi-Waiting-actions">
          {next.outdated && (
            <button
              type="button"
              className="edi-Button"
              aria-disabled={isBusy}
              onClick={() => model.adoptNext()}
            >
              {trans.__('Edit it again')}
            </button>
          )}
          <button
            type="button"
            className="edi-Button"
            aria-disabled={isBusy}
            onClick={() => {
              if (!isBusy) {
                props.onDiscard();
              }
            }}
          >
            {trans.__('Discard it')}
          </button>
        </div>
      </div>
      <details className="edi-Waiting-changes">
        <summary>{trans.__('What it changes')}</summary>
        <Changes
          changes={next.changes}
          text={next.text}
          fields={look.sheet.fields}
          old={trans.__('Now')}
          new={trans.__('At the next start')}
          trans={trans}
        />
      </details>
    </section>
  );

  function explanation(isOutdated: boolean, isStarted: boolean): string {
    if (isOutdated) {
      return trans.__(
        'Somebody has changed the profile of %1 since, so it is not used by itself. The form shows what is there now: edit yours again and save it, or discard it.',
        name
      );
    }
    return isStarted
      ? trans.__(
          '%1 goes on running as it is. The form shows what it will run with.',
          name
        )
      : trans.__('%1 takes it when it is started.', name);
  }
}
