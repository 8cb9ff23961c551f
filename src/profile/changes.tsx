import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { FieldChange } from '../api/wire';
import { plainText } from '../panel/plainText';
import type { IField } from './fields';
import { fieldOf, valueText } from './words';

/** Fields that differ between two profiles. */
export interface IChangesProps {
  changes: readonly FieldChange[];
  /** The documents as a unified diff. */
  text: string;
  fields: readonly IField[];
  /** What the old and the new values are. */
  old: string;
  new: string;
  trans: TranslationBundle;
}

/** Each changed field with its old and new value, and the lines of the document. */
export function Changes(props: IChangesProps): JSX.Element {
  const { changes, text, fields, trans } = props;
  return (
    <>
      <table className="edi-Changes">
        <caption className="edi-sr-only">{trans.__('Changes')}</caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('Field')}</th>
            <th scope="col">{props.old}</th>
            <th scope="col">{props.new}</th>
          </tr>
        </thead>
        <tbody>
          {changes.map(change => (
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
          {plainText(text)
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
        {field && field.partsThatCount.length > 0 && (
          <span className="edi-Secondary">
            {trans.__(
              'stored; this engine uses only %1',
              field.partsThatCount.join(', ')
            )}
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
