import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { EnvironmentInfo } from '../api/wire';
import { EdiError } from '../api/errors';
import { versionMismatch } from '../api/versions';
import { snapshotOf } from '../deployments/view';
import { VERSION } from '../version';
import { type IPanelContext, PanelContext, usePanel } from './context';
import { EmptyView } from './empty';
import { ErrorView } from './errors';
import { LiveRegion } from './live';
import { EngineBanner, LoadingView } from './loading';
import { MismatchView } from './mismatch';
import { DeploymentRows } from './rows';
import { StaleBanner } from './stale';
import { InsecureBanner, TokenBanner } from './token';
import { isOfJupyter } from './words';

/** Everything below the toolbar, as a widget. */
export function createBody(context: IPanelContext): ReactWidget {
  return ReactWidget.create(
    <PanelContext.Provider value={context}>
      <PanelBody />
    </PanelContext.Provider>
  );
}

/** Everything below the toolbar; redrawn when model or panel state change. */
export function PanelBody(): JSX.Element {
  const { model, state } = usePanel();
  return (
    <UseSignal signal={model.changed}>
      {() => (
        <UseSignal signal={state.changed}>
          {() => (
            <>
              <PanelContent />
              <LiveRegion rows={model.rows} />
            </>
          )}
        </UseSignal>
      )}
    </UseSignal>
  );
}

function PanelContent(): JSX.Element {
  const { model, state } = usePanel();
  const { environment, rows, server, view } = model;
  const mismatch = server && versionMismatch(VERSION, server);
  if (mismatch && state.acceptedVersion !== mismatch.server) {
    return <MismatchView mismatch={mismatch} />;
  }
  const snapshot = snapshotOf(view);
  const error = view.kind === 'error' ? explain(view.error, environment) : null;
  if (snapshot === null && rows.length === 0) {
    return error ? <ErrorView error={error} /> : <LoadingView />;
  }
  const isEngineAway = snapshot !== null && isAway(snapshot.list.engine);
  return (
    <>
      {error && snapshot && (
        <StaleBanner error={error} received={snapshot.received} />
      )}
      {!error && environment && <TokenBanner environment={environment} />}
      {environment?.insecure && <InsecureBanner environment={environment} />}
      {!error && isEngineAway && <EngineBanner />}
      {rows.length > 0 ? (
        <DeploymentRows rows={rows} isStale={error !== null} />
      ) : (
        !isEngineAway && view.kind === 'ready' && <EmptyView />
      )}
    </>
  );
}

/** The failure of a request in the words of its cause, where that is known. */
function explain(
  error: EdiError,
  environment: EnvironmentInfo | null
): EdiError {
  const problem = environment?.problem;
  return problem && !isOfJupyter(error) ? EdiError.fromInfo(problem) : error;
}

function isAway(engine: string | null): boolean {
  return engine === 'stopped' || engine === 'starting';
}
