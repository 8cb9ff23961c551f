import * as React from 'react';

import { usePanel } from './context';
import { CopyButton } from './copy';

/** A command to run in a terminal, with a button that copies it. */
export function Command(props: { text: string }): JSX.Element {
  const { text } = props;
  const { trans } = usePanel();
  return (
    <p className="edi-Command">
      <code>{text}</code>
      <CopyButton text={text} label={trans.__('Copy the command: %1', text)} />
    </p>
  );
}
