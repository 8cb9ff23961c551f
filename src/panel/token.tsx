import * as React from 'react';

import type { EnvironmentInfo } from '../api/wire';
import { usePanel } from './context';
import { formatSpan } from './format';
import { plainText } from './plainText';
import { sourceOf, TokenWays } from './tokenWays';
import { useNow } from './useNow';

/** Milliseconds before its end at which a token is spoken of. */
const SOON = 15 * 60_000;

/** Says in time that the token of the environment is about to end. */
export function TokenBanner(props: {
  environment: EnvironmentInfo;
}): JSX.Element | null {
  const { environment } = props;
  const { title, token_advice, token_expires } = environment;
  const { trans } = usePanel();
  const left = (token_expires ?? Infinity) * 1000 - useNow();
  if (left > SOON || (left > 0 && isRenewed(environment))) {
    return null;
  }
  return (
    <div className="edi-Banner edi-mod-warn">
      <div className="edi-Banner-text">
        <p>
          {left > 0
            ? trans.__(
                'The token of %1 expires in %2.',
                title,
                formatSpan(left, trans)
              )
            : trans.__('The token of %1 has expired.', title)}
        </p>
        {token_advice && <p>{plainText(token_advice)}</p>}
      </div>
      <TokenWays environment={environment} />
    </div>
  );
}

/** Whether the server gets another token by itself before this one ends. */
function isRenewed(environment: EnvironmentInfo): boolean {
  return ['command', 'login'].includes(sourceOf(environment) ?? '');
}

/** Says for as long as it is so that nobody checks whom the token goes to. */
export function InsecureBanner(props: {
  environment: EnvironmentInfo;
}): JSX.Element {
  const { title } = props.environment;
  const { trans } = usePanel();
  return (
    <div className="edi-Banner edi-mod-warn" role="alert">
      <div className="edi-Banner-text">
        <p>{trans.__('The certificate of %1 is NOT checked.', title)}</p>
        <p>
          {trans.__(
            'Whoever is on the way can read your token and what you send.'
          )}
        </p>
      </div>
    </div>
  );
}
