import * as React from 'react';

import type { IRow } from '../deployments/rows';
import { usePanel } from '../panel/context';
import { AnswerCard } from './answer';
import { prettyJson } from './prettyJson';
import { usePayload } from './usePayload';
import { useSender } from './useSender';

/** Writes a request, sends it and shows what comes back. */
export function SendForm(props: { row: IRow }): JSX.Element | null {
  const { row } = props;
  const { state, trans } = usePanel();
  const id = React.useId();
  const editor = React.useRef<HTMLTextAreaElement>(null);
  const payload = usePayload(row);
  const sender = useSender(row);

  React.useEffect(() => {
    if (state.takeFocus(row.name, 'payload')) {
      editor.current?.focus();
    }
  });

  if (
    row.state === 'failed' ||
    row.state === 'pending' ||
    row.state === 'removing'
  ) {
    return null;
  }
  const isIdle = sender.phase === 'idle';
  // An empty request that nobody wrote would only make the kernel fail.
  const canSend = isIdle && row.state !== 'stopping' && !payload.isLoading;
  const send = (): void => {
    if (canSend) {
      payload.save();
      sender.send(payload.text);
    }
  };
  const isJson = payload.text === '' || prettyJson(payload.text) !== null;
  return (
    <form
      className="edi-Send"
      aria-label={trans.__('Request to %1', row.name)}
      onSubmit={event => {
        event.preventDefault();
        send();
      }}
      onKeyDown={event => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          send();
        } else if (event.key === 'Escape' && !isIdle) {
          event.preventDefault();
          event.stopPropagation();
          sender.cancel();
        }
      }}
    >
      <div className="edi-Heading">
        <label htmlFor={id}>{trans.__('Request')}</label>
        {payload.sample !== null && payload.sample !== payload.text && (
          <button
            type="button"
            className="edi-LinkButton"
            onClick={() => payload.setText(payload.sample ?? '')}
          >
            {trans.__('Use the README’s')}
          </button>
        )}
      </div>
      <textarea
        ref={editor}
        id={id}
        className="edi-Send-payload"
        rows={7}
        spellCheck={false}
        autoComplete="off"
        value={payload.text}
        placeholder={
          payload.isLoading ? trans.__('Reading the README’s request…') : ''
        }
        aria-describedby={isJson ? undefined : `${id}-note`}
        onChange={event => payload.setText(event.target.value)}
        onBlur={() => payload.save()}
      />
      {!isJson && (
        <p id={`${id}-note`} className="edi-Send-note">
          {trans.__('This is not JSON; it is sent as it is.')}
        </p>
      )}
      <div className="edi-Send-buttons">
        <button
          type="submit"
          className="edi-Button jp-mod-styled jp-mod-accept"
          disabled={!canSend}
          title={trans.__('Send (Ctrl+Enter)')}
        >
          {row.state === 'stopped'
            ? trans.__('Start and send')
            : trans.__('Send')}
        </button>
        {!isIdle && (
          <button
            type="button"
            className="edi-Button"
            title={trans.__('Cancel (Esc)')}
            onClick={() => sender.cancel()}
          >
            {trans.__('Cancel')}
          </button>
        )}
        <span className="edi-Secondary" role="status">
          {sender.phase === 'sending' && trans.__('Sending…')}
          {sender.phase === 'waiting' &&
            trans.__('Sent as soon as it is ready…')}
        </span>
      </div>
      {sender.outcome && <AnswerCard outcome={sender.outcome} />}
    </form>
  );
}
