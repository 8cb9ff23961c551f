import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ProfileDiff } from '../api/wire';
import { BodyDialog } from '../commands/bodyDialog';
import { Changes } from './changes';
import type { IField } from './fields';

/** Marks the button that leaves the deployment alone. */
const LATER = 'later';

/** What is asked before a profile is saved. */
export interface IReviewOptions {
  name: string;
  diff: ProfileDiff;
  fields: readonly IField[];
  /** Whether saving means a restart. */
  isStarted: boolean;
  trans: TranslationBundle;
}

/** What the person wants: save now, or for the next start. */
export type ReviewChoice = 'save' | 'later' | 'cancel';

/** Show what saving would change, and ask what to do. */
export async function askToSave(
  options: IReviewOptions
): Promise<ReviewChoice> {
  const { name, isStarted, trans } = options;
  const body = ReactWidget.create(<Review {...options} />);
  body.addClass('edi-Review');
  const dialog = new BodyDialog({
    title: trans.__('Save the profile of %1?', name),
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      ...(isStarted
        ? [
            Dialog.createButton({
              label: trans.__('Save for next start'),
              actions: [LATER]
            }),
            Dialog.warnButton({ label: trans.__('Save and restart') })
          ]
        : [Dialog.okButton({ label: trans.__('Save') })])
    ],
    // A press on Enter by habit interrupts no service.
    defaultButton: isStarted ? 0 : 1
  });
  const { button } = await dialog.launch();
  if (!button.accept) {
    return 'cancel';
  }
  return button.actions.includes(LATER) ? 'later' : 'save';
}

/** Tell that saving would change nothing. */
export async function tellUnchanged(
  name: string,
  trans: TranslationBundle
): Promise<void> {
  await showDialog({
    title: trans.__('Nothing to save'),
    body: trans.__('The profile of %1 is what you want already.', name),
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
}

/** Each changed field with its old and new value, and the lines of the document. */
export function Review(props: IReviewOptions): JSX.Element {
  const { name, diff, fields, isStarted, trans } = props;
  return (
    <>
      <p>
        {isStarted
          ? trans.__(
              'EDI takes a profile only while %1 is stopped. Restarting it, it answers no requests meanwhile; saved for the next start, it goes on as it is.',
              name
            )
          : trans.__('It takes effect at the next start.')}
      </p>
      <Changes
        changes={diff.changes}
        text={diff.text}
        fields={fields}
        old={trans.__('Saved')}
        new={trans.__('Yours')}
        trans={trans}
      />
    </>
  );
}
