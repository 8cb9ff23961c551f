import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { FieldChange, ProfileDiff } from '../api/wire';
import { plainText } from '../panel/plainText';
import type { IField } from './fields';
import { fieldOf, valueText } from './words';

/** Marks the button that saves nothing yet. */
const KEEP = 'keep';

/** What is asked before a profile is saved. */
export interface IReviewOptions {
  name: string;
  diff: ProfileDiff;
  fields: readonly IField[];
  /** Whether saving means a restart. */
  isStarted: boolean;
  trans: TranslationBundle;
}

/** What the person wants: save now, or keep the edits for later. */
export type ReviewChoice = 'save' | 'keep' | 'cancel';

/** Show what saving would change, and ask what to do. */
export async function askToSave(
  options: IReviewOptions
): Promise<ReviewChoice> {
  const { name, isStarted, trans } = options;
  const body = ReactWidget.create(<Review {...options} />);
  body.addClass('edi-Review');
  const { button } = await showDialog({
    title: trans.__('Save the profile of %1?', name),
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      ...(isStarted
        ? [
            Dialog.createButton({
              label: trans.__('Keep for next start'),
              actions: [KEEP]
            }),
            Dialog.warnButton({ label: trans.__('Save and restart') })
          ]
        : [Dialog.okButton({ label: trans.__('Save') })])
    ]
  });
  if (!button.accept) {
    return 'cancel';
  }
  return button.actions.includes(KEEP) ? 'keep' : 'save';
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
              'EDI takes a profile only while %1 is stopped: to save now, it is stopped and started again, and answers no requests meanwhile.',
              name
            )
          : trans.__('It takes effect at the next start.')}
      </p>
      <table className="edi-Changes">
        <caption className="edi-sr-only">{trans.__('Changes')}</caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('Field')}</th>
            <th scope="col">{trans.__('Saved')}</th>
            <th scope="col">{trans.__('Yours')}</th>
          </tr>
        </thead>
        <tbody>
          {diff.changes.map(change => (
            <Change key={change.path} {...{ change, fields, trans }} />
          ))}
        </tbody>
      </table>
      <details className="edi-Review-text">
        <summary>{trans.__('Changed lines of the document')}</summary>
        <pre
          className="edi-Log edi-Diff"
          tabIndex={0}
          aria-label={trans.__('Changed lines of the document')}
        >
          {plainText(diff.text)
            .split('\n')
            .map((line, index) => (
              <span key={index} className={lineClass(line)}>
                {`${line}\n`}
              </span>
            ))}
        </pre>
      </details>
    </>
  );
}

function Change(props: {
  change: FieldChange;
  fields: readonly IField[];
  trans: TranslationBundle;
}): JSX.Element {
  const { change, fields, trans } = props;
  const field = fieldOf(change.path, fields);
  return (
    <tr>
      <th scope="row">
        <code>
          <Breakable text={plainText(change.path)} />
        </code>
        {field && !field.isHonoured && (
          <span className="edi-Secondary">
            {trans.__('stored, not used by this engine')}
          </span>
        )}
      </th>
      <td className="edi-Changes-old">
        <Breakable text={plainText(valueText(change.old, trans, field))} />
      </td>
      <td className="edi-Changes-new">
        <span aria-hidden="true">→ </span>
        <span>
          <Breakable text={plainText(valueText(change.new, trans, field))} />
        </span>
      </td>
    </tr>
  );
}

/** Text without blanks that is broken behind its commas and before its dots. */
function Breakable(props: { text: string }): JSX.Element {
  return (
    <>
      {props.text.split(/(?<=,)|(?=\.[a-z])/).map((part, index) => (
        <React.Fragment key={index}>
          {index > 0 && <wbr />}
          {part}
        </React.Fragment>
      ))}
    </>
  );
}

function lineClass(line: string): string | undefined {
  if (line.startsWith('+++') || line.startsWith('---')) {
    return 'edi-Diff-head';
  }
  switch (line[0]) {
    case '+':
      return 'edi-Diff-new';
    case '-':
      return 'edi-Diff-old';
    case '@':
      return 'edi-Diff-head';
    default:
      return undefined;
  }
}
