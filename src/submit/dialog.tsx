import { Dialog, ReactWidget, UseSignal } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { BodyDialog } from '../commands/bodyDialog';
import type { DeploymentsModel } from '../deployments/model';
import { DeployForm } from './form';

/** What the person decided in the dialog. */
export interface IDeployChoice {
  environment: string;
  name: string;
  /** Type of the runtime; null for the one that `model.json` names. */
  runtime: string | null;
  start: boolean;
}

/** What the dialog is about. */
export interface IDeployDialogOptions {
  model: DeploymentsModel;
  /** Folder, local to the server's disk. */
  path: string;
  trans: TranslationBundle;
}

/** Ask how to deploy a folder; null when the person cancels. */
export async function askHowToDeploy(
  options: IDeployDialogOptions
): Promise<IDeployChoice | null> {
  const { trans } = options;
  const body = new DeployDialogBody(options);
  const dialog = new BodyDialog<IDeployChoice | null>({
    title: trans.__('Deploy to EDI'),
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Deploy') })
    ],
    focusNodeSelector: 'input'
  });
  const { button, value } = await dialog.launch();
  return button.accept ? value : null;
}

/** The form as the body of a dialog, which asks it for its value. */
class DeployDialogBody
  extends ReactWidget
  implements Dialog.IBodyWidget<IDeployChoice | null>
{
  constructor(options: IDeployDialogOptions) {
    super();
    this._options = options;
    this.addClass('edi-Deploy');
  }

  getValue(): IDeployChoice | null {
    return this._choice;
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    // The dialog's own height would hide most of the findings.
    this.parent?.addClass('edi-DeployDialog');
    this._validate();
  }

  protected override render(): JSX.Element {
    return (
      <UseSignal signal={this._options.model.changed}>
        {() => <DeployForm {...this._options} onChange={this._set} />}
      </UseSignal>
    );
  }

  /** `choice` is null as long as there is nothing that could be deployed. */
  private readonly _set = (choice: IDeployChoice | null): void => {
    this._choice = choice;
    this._validate();
  };

  /** The dialog looks for this class at every input event and disables Deploy. */
  private _validate(): void {
    this.toggleClass('jp-mod-error', this._choice === null);
    this.node.dispatchEvent(new Event('input', { bubbles: true }));
  }

  private readonly _options: IDeployDialogOptions;
  private _choice: IDeployChoice | null = null;
}
