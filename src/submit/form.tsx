import { HTMLSelect } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { DeploymentsModel } from '../deployments/model';
import { ErrorText } from '../panel/errors';
import { Contents } from './contents';
import type { IDeployChoice } from './dialog';
import { Findings, isError } from './findings';
import { isValidName, nextFreeName, suggestName } from './names';
import { RuntimeField } from './runtime';
import { useInspection } from './useInspection';

interface IDeployFormProps {
  model: DeploymentsModel;
  path: string;
  trans: TranslationBundle;
  /** Told whenever what would be deployed changes; null when nothing can be. */
  onChange: (choice: IDeployChoice | null) => void;
}

/** Name, environment, runtime, what would be sent, and what stands in the way. */
export function DeployForm(props: IDeployFormProps): JSX.Element {
  const { model, path, trans, onChange } = props;
  const id = React.useId();
  const nameInput = React.useRef<HTMLInputElement>(null);
  const [typed, setTyped] = React.useState<string | null>(null);
  const inspected = useInspection(model.client, path, typed);
  const { look, isBusy } = inspected;
  const inspection = look.kind === 'seen' ? look.inspection : null;
  const [start, setStart] = React.useState(true);
  const [chosen, setChosen] = React.useState<string | null>(null);
  const [runtime, setRuntime] = React.useState<string | null>(null);

  const folder = path.split('/').pop() ?? '';
  // Until the folder has been looked at, its own name is the best guess.
  const name = inspected.name ?? suggestName(folder) ?? '';
  const environment = chosen ?? model.environment?.id ?? null;
  const fault = useNameFault(model, environment, name, trans);
  const isReady =
    inspection !== null &&
    !isBusy &&
    !inspection.findings.some(isError) &&
    fault === null &&
    environment !== null;

  React.useEffect(() => {
    onChange(isReady ? { environment, name, runtime, start } : null);
  }, [isReady, environment, name, runtime, start, onChange]);

  return (
    <>
      <p className="edi-Deploy-folder" title={path}>
        {trans.__('Folder')} <code>{path === '' ? '/' : path}</code>
      </p>
      <div className="edi-Field">
        <label htmlFor={`${id}-name`}>{trans.__('Name')}</label>
        <input
          ref={nameInput}
          id={`${id}-name`}
          className="jp-mod-styled edi-Field-input"
          type="text"
          autoComplete="off"
          spellCheck={false}
          value={name}
          aria-invalid={fault !== null}
          aria-describedby={`${id}-fault`}
          onChange={event => setTyped(event.target.value)}
        />
        <div id={`${id}-fault`} className="edi-Field-fault" role="status">
          {fault && inspection && (
            <>
              <span>{fault.message}</span>
              {fault.fix && (
                <button
                  type="button"
                  className="edi-LinkButton"
                  onClick={() => {
                    setTyped(fault.fix);
                    // The button goes away; the focus must not go with it.
                    nameInput.current?.focus();
                  }}
                >
                  {trans.__('Use “%1”', fault.fix)}
                </button>
              )}
            </>
          )}
        </div>
      </div>
      {model.environments.length > 1 && (
        <div className="edi-Field">
          <label htmlFor={`${id}-environment`}>{trans.__('Environment')}</label>
          <HTMLSelect
            id={`${id}-environment`}
            value={environment ?? undefined}
            onChange={event => {
              setChosen(event.target.value);
              // Another environment has other runtimes.
              setRuntime(null);
            }}
          >
            {model.environments.map(({ id: value, title, problem }) => (
              <option key={value} value={value} disabled={problem !== null}>
                {title}
              </option>
            ))}
          </HTMLSelect>
        </div>
      )}
      {environment !== null && inspection !== null && (
        <RuntimeField
          client={model.client}
          environment={environment}
          described={inspection.runtime}
          value={runtime}
          trans={trans}
          onChange={setRuntime}
        />
      )}
      <label className="edi-Check">
        <input
          type="checkbox"
          checked={start}
          onChange={event => setStart(event.target.checked)}
        />
        {trans.__('Start after deploy')}
      </label>
      {look.kind === 'looking' && (
        <p className="edi-Secondary" role="status">
          {trans.__('Looking at the folder…')}
        </p>
      )}
      {look.kind === 'failed' && (
        <div className="edi-Findings" data-severity="error">
          <p className="edi-Findings-title">
            {trans.__('The folder could not be looked at')}
          </p>
          <ErrorText error={look.error} trans={trans} />
          <button
            type="button"
            className="edi-Button edi-mod-small"
            aria-disabled={isBusy}
            onClick={inspected.again}
          >
            {trans.__('Check again')}
          </button>
        </div>
      )}
      {inspection && (
        <Findings inspection={inspection} inspected={inspected} trans={trans} />
      )}
      {inspection && <Contents inspection={inspection} trans={trans} />}
    </>
  );
}

interface INameFault {
  message: string;
  /** A name that would do. */
  fix: string | null;
}

function useNameFault(
  model: DeploymentsModel,
  environment: string | null,
  name: string,
  trans: TranslationBundle
): INameFault | null {
  if (!isValidName(name)) {
    return {
      message: trans.__(
        'Use lower-case letters, digits and hyphens, at most 63 characters, with a letter or digit at both ends.'
      ),
      fix: suggestName(name)
    };
  }
  const isTaken = (text: string): boolean =>
    model.environment?.id === environment && model.row(text) !== null;
  if (isTaken(name)) {
    return {
      message: trans.__('There is already a deployment of this name.'),
      fix: nextFreeName(name, isTaken)
    };
  }
  return null;
}
