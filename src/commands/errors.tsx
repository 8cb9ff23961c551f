import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { EdiError } from '../api/errors';
import { ErrorText } from '../panel/errors';

/** Tell what went wrong, with everything that is known about it. */
export async function showEdiError(
  title: string,
  reason: unknown,
  trans: TranslationBundle
): Promise<void> {
  const error = EdiError.from(reason);
  if (error.isCancelled) {
    return;
  }
  const body = ReactWidget.create(
    <ErrorText error={error} trans={trans} isOpen />
  );
  body.addClass('edi-ErrorDialog');
  await showDialog({
    title,
    body,
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
}
