import * as React from 'react';

import type { Answer } from '../api/wire';
import { EdiError } from '../api/errors';
import { usePanel } from '../panel/context';
import { CopyButton } from '../panel/copy';
import { ErrorText } from '../panel/errors';
import { formatBytes, formatDuration } from '../panel/format';
import { plainText } from '../panel/plainText';
import { prettyJson } from './prettyJson';
import type { Outcome } from './useSender';

/** Longest answer that is shown, in UTF-16 units; Copy copies all of it. */
const LONGEST = 200_000;

/** What came back: status, time, size and the body laid out for reading. */
export function AnswerCard(props: { outcome: Outcome }): JSX.Element {
  const { outcome } = props;
  const { trans } = usePanel();
  if (outcome.kind === 'error') {
    return <ErrorText error={outcome.error} trans={trans} />;
  }
  return <ServiceAnswer answer={outcome.answer} />;
}

function ServiceAnswer(props: { answer: Answer }): JSX.Element {
  const { answer } = props;
  const { trans } = usePanel();
  const whole = React.useMemo(
    () => prettyJson(answer.body) ?? answer.body,
    [answer.body]
  );
  const isCut = answer.truncated || whole.length > LONGEST;
  const status = answer.ok
    ? trans.__('%1 OK', answer.status)
    : trans.__('%1 Failed', answer.status);
  return (
    <section
      className={answer.ok ? 'edi-Answer' : 'edi-Answer edi-mod-failed'}
      aria-label={trans.__('Answer')}
    >
      <div className="edi-Heading">
        <span role="status">
          <span className="edi-Answer-status">{status}</span>
          <span className="edi-Secondary">
            {' '}
            · {formatDuration(answer.elapsed_ms)} · {formatBytes(answer.size)}
          </span>
        </span>
        <CopyButton text={answer.body} label={trans.__('Copy the answer')} />
      </div>
      {answer.error && (
        <ErrorText error={EdiError.fromInfo(answer.error)} trans={trans} />
      )}
      {answer.body !== '' && (
        <pre
          className="edi-Log"
          tabIndex={0}
          aria-label={trans.__('Body of the answer')}
        >
          {plainText(whole.slice(0, LONGEST))}
        </pre>
      )}
      {isCut && (
        <p className="edi-Secondary">
          {trans.__('Only the beginning of the answer is shown.')}
        </p>
      )}
    </section>
  );
}
