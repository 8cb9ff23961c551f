import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { EdiError } from '../api/errors';
import type {
  ConnectionReport,
  EnvironmentInfo,
  Info,
  UnsafePackage
} from '../api/wire';
import type { DeploymentsModel } from '../deployments/model';
import { plainText } from '../panel/plainText';
import { addEnvironment, type Confirm, pasteToken } from './change';

interface IProps {
  model: DeploymentsModel;
  trans: TranslationBundle;
  confirm: Confirm;
  /** Ask for a token without showing it; null when the person cancels. */
  askToken: (title: string) => Promise<string | null>;
}

/** All environments with what can be done to them, and the form for another one. */
export function EnvironmentList(props: IProps): JSX.Element {
  const { model } = props;
  const { problem } = model.known;
  const [error, setError] = React.useState<EdiError | null>(null);
  const [isBusy, setBusy] = React.useState(false);
  const change = async (
    act: () => Promise<Info | null>,
    show?: string
  ): Promise<boolean> => {
    setBusy(true);
    setError(null);
    try {
      const info = await act();
      if (info) {
        model.known.adopt(info);
        model.setEnvironment(show ?? model.environment?.id ?? 'local', true);
      }
      return info !== null;
    } catch (reason) {
      setError(EdiError.from(reason));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="edi-Environments">
      {problem && <Failure error={EdiError.fromInfo(problem)} />}
      {model.environments.map(environment => (
        <Item
          key={environment.id}
          {...props}
          environment={environment}
          isBusy={isBusy}
          change={change}
        />
      ))}
      {error && <Failure error={error} />}
      <Form {...props} isBusy={isBusy} change={change} />
      {model.known.unsafe.map(unsafe => (
        <Unsafe key={unsafe.name} unsafe={unsafe} trans={props.trans} />
      ))}
    </div>
  );
}

/** Says quietly that the server itself should be brought up to date. */
function Unsafe(props: {
  unsafe: UnsafePackage;
  trans: TranslationBundle;
}): JSX.Element {
  const { unsafe, trans } = props;
  return (
    <p className="edi-Secondary edi-Environments-unsafe">
      {trans.__(
        'This server runs %1 %2, which has known security faults; %3 is the first version without them:',
        unsafe.name,
        unsafe.version,
        unsafe.floor
      )}{' '}
      <code>{unsafe.command}</code>
    </p>
  );
}

interface IChangeProps extends IProps {
  isBusy: boolean;
  change: (act: () => Promise<Info | null>, show?: string) => Promise<boolean>;
}

function Item(
  props: IChangeProps & { environment: EnvironmentInfo }
): JSX.Element {
  const { environment, isBusy, change, model, trans } = props;
  const { id, title, host, kind, insecure, problem, source } = environment;
  const [report, setReport] = React.useState<ConnectionReport | null>(null);
  const test = async (): Promise<void> => {
    setReport(null);
    try {
      setReport(await model.client.testEnvironment(id));
    } catch (reason) {
      const { message, hint } = EdiError.from(reason);
      const step = { name: id, ok: false, text: message, hint: hint ?? null };
      setReport({ ok: false, steps: [{ ...step, seconds: 0 }] });
    }
  };
  const paste = async (): Promise<void> => {
    const token = await props.askToken(title);
    if (token) {
      await change(() => pasteToken(model.client, id, token, props.confirm));
    }
  };
  return (
    <div className="edi-Environments-item" role="group" aria-label={title}>
      <div className="edi-Environments-title">
        <div>{plainText(title)}</div>
        <div className="edi-Secondary">
          {[host, insecure && trans.__('certificate NOT checked')]
            .filter(Boolean)
            .join(' · ')}
        </div>
        {problem && (
          <div className="edi-Secondary">{plainText(problem.message)}</div>
        )}
      </div>
      <Button onClick={test}>{trans.__('Test')}</Button>
      {kind === 'remote' && (
        <Button onClick={paste} isDisabled={isBusy}>
          {trans.__('Paste a token…')}
        </Button>
      )}
      {source === 'stored' && (
        <Button
          onClick={() => change(() => model.client.removeEnvironment(id))}
          isDisabled={isBusy}
        >
          {trans.__('Remove')}
        </Button>
      )}
      {report && <Steps report={report} trans={trans} />}
    </div>
  );
}

function Steps(props: {
  report: ConnectionReport;
  trans: TranslationBundle;
}): JSX.Element {
  const { report, trans } = props;
  const word = (ok: boolean | null): string =>
    ok === null
      ? trans.__('unknown')
      : ok
        ? trans.__('ok')
        : trans.__('failed');
  return (
    <div className="edi-Environments-steps" role="status">
      <ol>
        {report.steps.map(({ name, ok, text, hint }, index) => (
          <li
            key={index}
            className={`edi-Environments-step${ok === false ? ' edi-mod-failed' : ''}`}
          >
            <b>{name}</b> {word(ok)}: {plainText(text)}
            {hint && ok !== true && (
              <div className="edi-Secondary">{plainText(hint)}</div>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

function Form(props: IChangeProps): JSX.Element {
  const { change, confirm, isBusy, model, trans } = props;
  const { hasToken } = model.known;
  const [id, setId] = React.useState('');
  const [address, setAddress] = React.useState('');
  const [token, setToken] = React.useState('');
  const isReady = id !== '' && address !== '' && (token !== '' || hasToken);
  const add = async (): Promise<void> => {
    const wanted = { id, address, token };
    const isDone = await change(
      () => addEnvironment(model.client, wanted, confirm),
      id
    );
    if (isDone) {
      setId('');
      setAddress('');
      setToken('');
    }
  };
  return (
    <form
      className="edi-Environments-form"
      aria-label={trans.__('Add an environment')}
      onSubmit={event => {
        event.preventDefault();
        if (!isBusy && isReady) {
          void add();
        }
      }}
    >
      {hasToken && (
        <p className="edi-Secondary">
          {trans.__(
            'The server has a Watson token (USER_ACCESS_TOKEN). Add the address of your WMLA to use it.'
          )}
        </p>
      )}
      <Field
        label={trans.__('Name')}
        value={id}
        onChange={setId}
        hint="wmla-prod"
      />
      <Field
        label={trans.__('Address')}
        value={address}
        onChange={setAddress}
        hint="https://wmla-console-…"
      />
      <Field
        label={
          hasToken
            ? trans.__('Token (empty: the one of the server)')
            : trans.__('Token')
        }
        value={token}
        onChange={setToken}
        type="password"
      />
      <div>
        <button
          type="submit"
          className="edi-Button edi-mod-small"
          disabled={isBusy || !isReady}
        >
          {trans.__('Add')}
        </button>
      </div>
    </form>
  );
}

function Field(props: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  type?: string;
  hint?: string;
}): JSX.Element {
  const { label, value, onChange, type, hint } = props;
  return (
    <label>
      {label}
      <input
        className="jp-mod-styled"
        type={type ?? 'text'}
        value={value}
        placeholder={hint}
        autoComplete="off"
        spellCheck={false}
        onChange={event => onChange(event.target.value)}
      />
    </label>
  );
}

function Button(props: {
  onClick: () => Promise<unknown>;
  isDisabled?: boolean;
  children: React.ReactNode;
}): JSX.Element {
  return (
    <button
      type="button"
      className="edi-Button edi-mod-small"
      disabled={props.isDisabled}
      onClick={() => void props.onClick()}
    >
      {props.children}
    </button>
  );
}

function Failure(props: { error: EdiError }): JSX.Element {
  const { message, hint } = props.error;
  return (
    <div role="alert">
      <p>{plainText(message)}</p>
      {hint && <p className="edi-Secondary">{plainText(hint)}</p>}
    </div>
  );
}
