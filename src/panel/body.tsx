import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { snapshotOf } from '../deployments/view';
import { type IPanelContext, PanelContext, usePanel } from './context';
import { EmptyView } from './empty';
import { ErrorView, StaleBanner } from './errors';
import { LiveRegion } from './live';
import { EngineBanner, LoadingView } from './loading';
import { DeploymentRows } from './rows';

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
  const { model } = usePanel();
  const { view, rows } = model;
  const snapshot = snapshotOf(view);
  if (snapshot === null && rows.length === 0) {
    return view.kind === 'error' ? (
      <ErrorView error={view.error} onRetry={() => void model.refresh()} />
    ) : (
      <LoadingView />
    );
  }
  const isEngineAway = snapshot !== null && isAway(snapshot.list.engine);
  return (
    <>
      {view.kind === 'error' && snapshot !== null && (
        <StaleBanner error={view.error} received={snapshot.received} />
      )}
      {view.kind !== 'error' && isEngineAway && <EngineBanner />}
      {rows.length > 0 ? (
        <DeploymentRows rows={rows} />
      ) : (
        !isEngineAway && view.kind === 'ready' && <EmptyView />
      )}
    </>
  );
}

function isAway(engine: string | null): boolean {
  return engine === 'stopped' || engine === 'starting';
}
