import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Inspection } from '../api/wire';
import { formatBytes } from '../panel/format';
import { plainText } from '../panel/plainText';

/** What would be sent and what would be left out, folded up. */
export function Contents(props: {
  inspection: Inspection;
  trans: TranslationBundle;
}): JSX.Element {
  const { inspection, trans } = props;
  const { files, file_count, ignored, total_size } = inspection;
  const more = file_count - files.length;
  const sent = trans._n(
    '%1 file, %2',
    '%1 files, %2',
    file_count,
    formatBytes(total_size)
  );
  return (
    <details className="edi-Contents">
      <summary>
        {sent}
        {ignored.length > 0 && (
          <span className="edi-Secondary">
            {' · '}
            {trans._n('%1 ignored', '%1 ignored', ignored.length)}
          </span>
        )}
      </summary>
      <div className="edi-Contents-list" tabIndex={0}>
        <ul aria-label={trans.__('Files')}>
          {files.map(file => (
            <li key={file.path}>
              <code title={plainText(file.path)}>{plainText(file.path)}</code>
              <span className="edi-Secondary">{formatBytes(file.size)}</span>
            </li>
          ))}
          {more > 0 && (
            <li className="edi-Secondary">
              {trans._n('and %1 more', 'and %1 more', more)}
            </li>
          )}
        </ul>
        {ignored.length > 0 && (
          <ul aria-label={trans.__('Ignored')}>
            {ignored.map(entry => (
              <li key={entry.path}>
                <s>
                  <code title={plainText(entry.path)}>
                    {plainText(entry.path)}
                  </code>
                </s>
                <span className="edi-Secondary">{plainText(entry.reason)}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
    </details>
  );
}
