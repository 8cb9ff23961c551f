import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { plainText } from '../panel/plainText';

/** What is asked while the environments show, in their place. */
export type Question =
  | {
      readonly kind: 'hosts';
      readonly hosts: readonly string[];
      readonly answer: (isAgreed: boolean) => void;
    }
  | {
      readonly kind: 'token';
      readonly title: string;
      readonly answer: (token: string | null) => void;
    };

/** Asks the question; nothing else can be done until it is answered. */
export function QuestionView(props: {
  question: Question;
  trans: TranslationBundle;
}): JSX.Element {
  const { question, trans } = props;
  return question.kind === 'hosts' ? (
    <HostsQuestion question={question} trans={trans} />
  ) : (
    <TokenQuestion question={question} trans={trans} />
  );
}

/** The hosts that are to get the token, by name. */
export function Hosts(props: {
  hosts: readonly string[];
  trans: TranslationBundle;
}): JSX.Element {
  const { hosts, trans } = props;
  return (
    <div>
      <p>{trans.__('Requests and your token will be sent to:')}</p>
      <ul>
        {hosts.map(host => (
          <li key={host}>
            <code>{plainText(host)}</code>
          </li>
        ))}
      </ul>
      <p>
        {trans.__(
          'Look at the name closely: whoever has the token can do what you can do.'
        )}
      </p>
    </div>
  );
}

function HostsQuestion(props: {
  question: Question & { kind: 'hosts' };
  trans: TranslationBundle;
}): JSX.Element {
  const { question, trans } = props;
  const title = React.useId();
  const cancel = React.useRef<HTMLButtonElement>(null);
  React.useEffect(() => cancel.current?.focus(), []);
  return (
    <div
      className="edi-Environments-question"
      role="group"
      aria-labelledby={title}
    >
      <p id={title} className="edi-Environments-asked">
        {trans.__('Send your token there?')}
      </p>
      <Hosts hosts={question.hosts} trans={trans} />
      <div className="edi-Environments-answers">
        <button
          ref={cancel}
          type="button"
          className="edi-Button"
          onClick={() => question.answer(false)}
        >
          {trans.__('Cancel')}
        </button>
        <button
          type="button"
          className="edi-Button jp-mod-styled jp-mod-warn"
          onClick={() => question.answer(true)}
        >
          {trans.__('Send it there')}
        </button>
      </div>
    </div>
  );
}

function TokenQuestion(props: {
  question: Question & { kind: 'token' };
  trans: TranslationBundle;
}): JSX.Element {
  const { question, trans } = props;
  const id = React.useId();
  const input = React.useRef<HTMLInputElement>(null);
  const [token, setToken] = React.useState('');
  React.useEffect(() => input.current?.focus(), []);
  return (
    <form
      className="edi-Environments-question"
      onSubmit={event => {
        event.preventDefault();
        question.answer(token || null);
      }}
    >
      <label htmlFor={id} className="edi-Environments-asked">
        {trans.__('Token of %1', plainText(question.title))}
      </label>
      <input
        ref={input}
        id={id}
        className="jp-mod-styled"
        type="password"
        autoComplete="off"
        value={token}
        aria-describedby={`${id}-note`}
        onChange={event => setToken(event.target.value)}
      />
      <p id={`${id}-note`} className="edi-Secondary">
        {trans.__('It is kept in memory until the server ends.')}
      </p>
      <div className="edi-Environments-answers">
        <button
          type="button"
          className="edi-Button"
          onClick={() => question.answer(null)}
        >
          {trans.__('Cancel')}
        </button>
        <button
          type="submit"
          className="edi-Button jp-mod-styled jp-mod-accept"
          disabled={token === ''}
        >
          {trans.__('Use it')}
        </button>
      </div>
    </form>
  );
}
