import { HTMLSelect } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Inspection } from '../api/wire';
import { EdiError } from '../api/errors';
import type { DeploymentsModel } from '../deployments/model';
import { plainText } from '../panel/plainText';
import { errorWords } from '../panel/words';
import { Contents } from './contents';
import type { IDeployChoice } from './dialog';
import { isValidName, nextFreeName, suggestName } from './names';

interface IDeployFormProps {
  model: DeploymentsModel;
  path: string;
  trans: TranslationBundle;
  /** Told whenever what would be deployed changes; null when nothing can be. */
  onChange: (choice: IDeployChoice | null) => void;
}

type Look =
  | { kind: 'looking' }
  | { kind: 'failed'; error: EdiError }
  | { kind: 'seen'; inspection: Inspection };

/** Name, environment, what would be sent, and what stands in the way. */
export function DeployForm(props: IDeployFormProps): JSX.Element {
  const { model, path, trans, onChange } = props;
  const id = React.useId();
  const nameInput = React.useRef<HTMLInputElement>(null);
  const look = useInspection(model, path);
  const inspection = look.kind === 'seen' ? look.inspection : null;
  const [typed, setTyped] = React.useState<string | null>(null);
  const [start, setStart] = React.useState(true);
  const [chosen, setChosen] = React.useState<string | null>(null);

  const folder = path.split('/').pop() ?? '';
  const name = typed ?? inspection?.name ?? suggestName(folder) ?? '';
  const environment = chosen ?? model.environment?.id ?? null;
  const fault = useNameFault(model, environment, name, trans);
  const problems = inspection?.problems ?? [];
  const isReady =
    inspection !== null &&
    problems.length === 0 &&
    fault === null &&
    environment !== null;

  React.useEffect(() => {
    onChange(isReady ? { environment, name, start } : null);
  }, [isReady, environment, name, start, onChange]);

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
            onChange={event => setChosen(event.target.value)}
          >
            {model.environments.map(({ id: value, title, problem }) => (
              <option key={value} value={value} disabled={problem !== null}>
                {title}
              </option>
            ))}
          </HTMLSelect>
        </div>
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
        <Findings
          title={trans.__('The folder could not be looked at')}
          findings={[errorWords(look.error, trans)]}
        />
      )}
      {problems.length > 0 && (
        <Findings
          title={trans._n(
            '%1 problem to mend first; nothing has been sent',
            '%1 problems to mend first; nothing has been sent',
            problems.length
          )}
          findings={problems}
        />
      )}
      {inspection && <Contents inspection={inspection} trans={trans} />}
    </>
  );
}

function useInspection(model: DeploymentsModel, path: string): Look {
  const [look, setLook] = React.useState<Look>({ kind: 'looking' });
  React.useEffect(() => {
    const controller = new AbortController();
    model.client.inspect(path, controller.signal).then(
      inspection => setLook({ kind: 'seen', inspection }),
      (reason: unknown) => {
        const error = EdiError.from(reason);
        if (!error.isCancelled) {
          setLook({ kind: 'failed', error });
        }
      }
    );
    return () => controller.abort();
  }, [model, path]);
  return look;
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

function Findings(props: {
  title: string;
  findings: readonly {
    message: string;
    hint: string | null;
    path?: string | null;
  }[];
}): JSX.Element {
  return (
    <div className="edi-Findings" role="alert">
      <p className="edi-Findings-title">{props.title}</p>
      <ul>
        {props.findings.map((finding, index) => (
          <li key={index}>
            <p>
              {finding.path && !finding.message.includes(finding.path) && (
                <code>{plainText(finding.path)} </code>
              )}
              {plainText(finding.message)}
            </p>
            {finding.hint && (
              <p className="edi-Secondary">{plainText(finding.hint)}</p>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
