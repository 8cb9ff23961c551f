import {
  Dialog,
  InputDialog,
  ReactWidget,
  showDialog
} from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { EnvironmentInfo } from '../api/wire';
import { BodyDialog } from '../commands/bodyDialog';
import { showEdiError } from '../commands/errors';
import type { DeploymentsModel } from '../deployments/model';
import { pasteToken } from './change';
import { EnvironmentList } from './list';
import { Hosts, type Question, QuestionView } from './question';

interface IOptions {
  model: DeploymentsModel;
  trans: TranslationBundle;
}

/** Show the environments until the person closes them. */
export async function manageEnvironments(options: IOptions): Promise<void> {
  const { model, trans } = options;
  const body = ReactWidget.create(
    <UseSignal signal={model.changed}>
      {() => <EnvironmentsBody {...options} />}
    </UseSignal>
  );
  const dialog = new BodyDialog({
    title: trans.__('EDI environments'),
    body,
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
  await dialog.launch();
}

/**
 * The environments, or a question in their place: another dialog would only
 * open once this one is closed.
 */
export function EnvironmentsBody(props: IOptions): JSX.Element {
  const [question, setQuestion] = React.useState<Question | null>(null);
  const confirm = (hosts: readonly string[]): Promise<boolean> =>
    new Promise(resolve => {
      const answer = (isAgreed: boolean): void => {
        setQuestion(null);
        resolve(isAgreed);
      };
      setQuestion({ kind: 'hosts', hosts, answer });
    });
  const askToken = (title: string): Promise<string | null> =>
    new Promise(resolve => {
      const answer = (token: string | null): void => {
        setQuestion(null);
        resolve(token);
      };
      setQuestion({ kind: 'token', title, answer });
    });
  return (
    <>
      <div hidden={question !== null}>
        <EnvironmentList {...props} confirm={confirm} askToken={askToken} />
      </div>
      {question && <QuestionView question={question} trans={props.trans} />}
    </>
  );
}

/** Ask for a token of an environment and use it from now on; tell if it cannot be. */
export async function askForToken(
  model: DeploymentsModel,
  { id, title }: EnvironmentInfo,
  trans: TranslationBundle
): Promise<void> {
  const token = await askToken(title, trans);
  if (token === null) {
    return;
  }
  try {
    const info = await pasteToken(model.client, id, token, hosts =>
      confirmHosts(hosts, trans)
    );
    if (info !== null) {
      model.known.adopt(info);
      await model.refresh();
    }
  } catch (reason) {
    await showEdiError(trans.__('The token is not used'), reason, trans);
  }
}

async function confirmHosts(
  hosts: readonly string[],
  trans: TranslationBundle
): Promise<boolean> {
  const body = ReactWidget.create(<Hosts hosts={hosts} trans={trans} />);
  const { button } = await showDialog({
    title: trans.__('Send your token there?'),
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: trans.__('Send it there') })
    ],
    defaultButton: 0
  });
  return button.accept;
}

async function askToken(
  title: string,
  trans: TranslationBundle
): Promise<string | null> {
  const { button, value } = await InputDialog.getPassword({
    title: trans.__('Token of %1', title),
    label: trans.__('It is kept in memory until the server ends.'),
    okLabel: trans.__('Use it'),
    cancelLabel: trans.__('Cancel')
  });
  return button.accept && value ? value : null;
}
