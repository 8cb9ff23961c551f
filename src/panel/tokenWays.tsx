import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { EnvironmentInfo } from '../api/wire';
import type { EdiError } from '../api/errors';
import { showEdiError } from '../commands/errors';
import { CommandIDs } from '../tokens';
import { usePanel } from './context';

const CODES: ReadonlySet<string> = new Set([
  'no_token',
  'bad_token',
  'token_expired',
  'token_command_failed',
  'no_password',
  'no_keyring',
  'login_refused',
  'upstream_unauthorized'
]);

/** Whether an error is about the token of a remote environment. */
export function isOfToken({ code }: Pick<EdiError, 'code'>): boolean {
  return CODES.has(code);
}

/** Where the token that is sent comes from. */
export function sourceOf(environment: EnvironmentInfo): string | null {
  return environment.token_pasted ? 'session' : environment.token_source;
}

/** The ways to another token, as buttons: those that its source has. */
export function TokenWays(props: {
  environment: EnvironmentInfo;
}): JSX.Element {
  const { environment } = props;
  const { id, token_pasted, token_source } = environment;
  const { commands, model, trans } = usePanel();
  const hasOwn = token_source !== null && token_source !== 'session';
  const forget = async (): Promise<void> => {
    try {
      model.known.adopt(await model.client.forgetToken(id));
      await model.refresh();
    } catch (reason) {
      await showEdiError(trans.__('It was not forgotten'), reason, trans);
    }
  };
  return (
    <>
      <button
        type="button"
        className="edi-Button jp-mod-styled jp-mod-accept"
        onClick={() =>
          void commands.execute(CommandIDs.pasteToken, { environment: id })
        }
      >
        {trans.__('Paste a token…')}
      </button>
      <button
        type="button"
        className="edi-Button"
        onClick={() => void model.learn()}
      >
        {again(environment, trans)}
      </button>
      {token_pasted && hasOwn && (
        <button
          type="button"
          className="edi-LinkButton"
          onClick={() => void forget()}
        >
          {trans.__('Forget the pasted token')}
        </button>
      )}
    </>
  );
}

function again(environment: EnvironmentInfo, trans: TranslationBundle): string {
  switch (sourceOf(environment)) {
    case 'variable':
      return trans.__(
        'Read %1 again',
        environment.token_variable ?? 'USER_ACCESS_TOKEN'
      );
    case 'file':
      return trans.__('Read the file again');
    case 'command':
      return trans.__('Run the program again');
    case 'login':
      return trans.__('Log in again');
    default:
      return trans.__('Try again');
  }
}
