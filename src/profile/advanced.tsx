import * as React from 'react';

import { CopyButton } from '../panel/copy';
import { plainText } from '../panel/plainText';
import { useProfile } from './context';
import { valueAt } from './document';
import { FieldRow } from './field';
import type { IField } from './fields';
import { valueText } from './words';

/** What few people change, what cannot be changed, and the document itself. */
export function AdvancedFields(props: {
  fields: readonly IField[];
}): JSX.Element {
  const { sheet, trans } = useProfile();
  const editable = props.fields.filter(({ kind }) => kind !== 'fact');
  const facts = props.fields.filter(({ kind }) => kind === 'fact');
  const text = JSON.stringify(sheet.toDocument(), null, 2);
  return (
    <details className="edi-Profile-advanced">
      <summary>
        <h2>{trans.__('Advanced')}</h2>
        <span className="edi-Secondary">
          {trans._n('%1 field', '%1 fields', props.fields.length)}
        </span>
      </summary>
      <div className="edi-Profile-grid">
        {editable.map(field => (
          <FieldRow key={field.path} field={field} />
        ))}
      </div>
      {facts.length > 0 && (
        <>
          <h3>{trans.__('Set by the service, or not known here')}</h3>
          <dl className="edi-Profile-facts">
            {facts.map(({ path, title }) => (
              <React.Fragment key={path}>
                <dt title={path}>{plainText(title)}</dt>
                <dd>
                  {plainText(valueText(valueAt(sheet.document, path), trans))}
                </dd>
              </React.Fragment>
            ))}
          </dl>
        </>
      )}
      <details className="edi-Profile-json">
        <summary>{trans.__('As JSON, with your edits')}</summary>
        <div className="edi-Heading">
          <span className="edi-Secondary">
            {trans.__('All fields are sent, those that are not known too.')}
          </span>
          <CopyButton text={text} label={trans.__('Copy the JSON')} />
        </div>
        <pre
          className="edi-Log"
          tabIndex={0}
          aria-label={trans.__('The profile as JSON')}
        >
          {plainText(text)}
        </pre>
      </details>
    </details>
  );
}
