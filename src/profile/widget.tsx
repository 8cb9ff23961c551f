import {
  Dialog,
  MainAreaWidget,
  ReactWidget,
  showDialog,
  UseSignal
} from '@jupyterlab/apputils';
import { settingsIcon } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { ProfileForm } from './form';
import { ProfileModel } from './model';
import { askToSave, tellUnchanged } from './review';

/** The tab of one profile. */
export class ProfileTab extends MainAreaWidget<ReactWidget> {
  constructor(options: ProfileModel.IOptions) {
    const model = new ProfileModel(options);
    const { environment, name, trans } = options;
    super({
      content: ReactWidget.create(
        <UseSignal signal={model.changed}>
          {() => (
            <ProfileForm
              model={model}
              trans={trans}
              onReview={() => void this._review()}
              onDiscardNext={() => void this._askToDiscardNext()}
            />
          )}
        </UseSignal>
      )
    });
    this.model = model;
    this._options = options;
    this.id = ProfileTab.idOf(environment, name);
    this.content.addClass('edi-Profile');
    this.toolbar.hide();
    this.title.label = trans.__('Profile: %1', name);
    this.title.caption = trans.__('Profile of %1', name);
    this.title.icon = settingsIcon;
    this.title.closable = true;
    model.changed.connect(this._mark, this);
    void model.load();
  }

  readonly model: ProfileModel;

  override dispose(): void {
    if (!this.isDisposed) {
      this.model.dispose();
      super.dispose();
    }
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    if (this.model.look.kind === 'ready' && this.model.work === 'none') {
      void this.model.load();
    }
  }

  protected override onCloseRequest(msg: Message): void {
    if (this.model.isEdited && this.model.work === 'none') {
      void this._askToClose(msg);
    } else {
      super.onCloseRequest(msg);
    }
  }

  private async _askToClose(msg: Message): Promise<void> {
    const { name, trans } = this._options;
    const { button } = await showDialog({
      title: trans.__('Close the profile of %1?', name),
      body: trans.__(
        'Your edits are not saved. Kept, they are there when you open the profile again in this browser.'
      ),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.warnButton({ label: trans.__('Discard'), accept: true }),
        Dialog.okButton({ label: trans.__('Keep') })
      ]
    });
    if (!button.accept) {
      return;
    }
    if (button.displayType === 'warn') {
      this.model.discard();
    }
    super.onCloseRequest(msg);
  }

  /** Show what would change, ask, and save. */
  private _review(): Promise<void> {
    const title = this._options.trans.__('The profile was not saved');
    return this._tellFailure(title, this._reviewAndSave());
  }

  private async _reviewAndSave(): Promise<void> {
    const { model } = this;
    const { name, trans } = this._options;
    const diff = await model.review();
    if (diff === null || model.look.kind !== 'ready') {
      return;
    }
    if (diff.changes.length === 0) {
      await tellUnchanged(name, trans);
      return;
    }
    const { sheet, view } = model.look;
    const isStarted = view.started;
    const { fields } = sheet;
    switch (await askToSave({ name, diff, fields, isStarted, trans })) {
      case 'save':
        return await model.save(isStarted);
      case 'later':
        return await model.saveForNextStart();
    }
  }

  private async _askToDiscardNext(): Promise<void> {
    const { name, trans } = this._options;
    const { button } = await showDialog({
      title: trans.__('Discard what is saved for the next start?'),
      body: trans.__('%1 then starts with the profile that it has now.', name),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.warnButton({ label: trans.__('Discard') })
      ],
      defaultButton: 0
    });
    if (button.accept) {
      await this._tellFailure(
        trans.__('It was not discarded'),
        this.model.discardNext()
      );
    }
  }

  private async _tellFailure(
    title: string,
    work: Promise<void>
  ): Promise<void> {
    try {
      await work;
    } catch (reason) {
      const { showEdiError } = await import('../commands/errors');
      await showEdiError(title, reason, this._options.trans);
    }
  }

  private _mark(): void {
    const className = this.model.isEdited ? 'jp-mod-dirty' : '';
    if (this.title.className !== className) {
      this.title.className = className;
    }
  }

  private readonly _options: ProfileModel.IOptions;
}

export namespace ProfileTab {
  /** The id of the tab of a profile; one profile has one tab. */
  export function idOf(environment: string, name: string): string {
    return `edi-profile-${encodeURIComponent(environment)}-${name}`;
  }
}
