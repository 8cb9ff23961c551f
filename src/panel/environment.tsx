import { ReactWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { DeploymentsModel } from '../deployments/model';

interface IEnvironmentProps {
  model: DeploymentsModel;
  trans: TranslationBundle;
}

/** What the toolbar says of the environment, and where it is changed. */
export function createEnvironmentItem(props: IEnvironmentProps): ReactWidget {
  return ReactWidget.create(
    <UseSignal signal={props.model.changed}>
      {() => <EnvironmentName {...props} />}
    </UseSignal>
  );
}

function EnvironmentName(props: IEnvironmentProps): JSX.Element | null {
  const { model, trans } = props;
  const { environment, environments } = model;
  if (environment === null) {
    return null;
  }
  if (environments.length === 1) {
    return (
      <span className="edi-Environment-name" title={environment.title}>
        {environment.title}
      </span>
    );
  }
  return (
    <HTMLSelect
      className="edi-Environment-select"
      aria-label={trans.__('Environment')}
      title={environment.host ?? environment.title}
      value={environment.id}
      onChange={event => model.setEnvironment(event.target.value)}
    >
      {environments.map(({ id, title, problem }) => (
        <option key={id} value={id}>
          {problem ? trans.__('%1 (not usable now)', title) : title}
        </option>
      ))}
    </HTMLSelect>
  );
}
