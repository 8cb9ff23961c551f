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
import { showEdiError } from '../commands/errors';
import type { DeploymentsModel } from '../deployments/model';
import { pasteToken } from './change';
import { EnvironmentList } from './list';

interface IOptions {
  model: DeploymentsModel;
  trans: TranslationBundle;
}

/** Show the environments until the person closes them. */
export async function manageEnvironments(options: IOptions): Promise<void> {
  const { model, trans } = options;
  const body = ReactWidget.create(
    <UseSignal signal={model.changed}>
      {() => (
        <EnvironmentList
          {...options}
          confirm={hosts => confirmHosts(hosts, trans)}
          askToken={title => askToken(title, trans)}
        />
      )}
    </UseSignal>
  );
  await showDialog({
    title: trans.__('EDI environments'),
    body,
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
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
  const body = ReactWidget.create(
    <div>
      <p>{trans.__('Requests and your token will be sent to:')}</p>
      <ul>
        {hosts.map(host => (
          <li key={host}>
            <code>{host}</code>
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
