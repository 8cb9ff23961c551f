import { Clipboard } from '@jupyterlab/apputils';
import { checkIcon, copyIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

/** How long the tick shows, in milliseconds. */
const CONFIRMED = 1500;

/** Copies a text and shows a tick for a moment. */
export function CopyButton(props: {
  text: string;
  label: string;
}): JSX.Element {
  const [isCopied, setCopied] = React.useState(false);
  React.useEffect(() => {
    if (!isCopied) {
      return;
    }
    const timer = window.setTimeout(() => setCopied(false), CONFIRMED);
    return () => window.clearTimeout(timer);
  }, [isCopied]);
  const icon = isCopied ? checkIcon : copyIcon;
  return (
    <button
      type="button"
      className="edi-IconButton"
      aria-label={props.label}
      title={props.label}
      onClick={() => {
        Clipboard.copyToSystem(props.text);
        setCopied(true);
      }}
    >
      <icon.react tag="span" aria-hidden="true" />
    </button>
  );
}
