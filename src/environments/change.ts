import type { IEdiClient } from '../api/client';
import { EdiError } from '../api/errors';
import type { EnvironmentRequest, Info, TokenRequest } from '../api/wire';

/** Asks the person whether these hosts may get requests and the token. */
export type Confirm = (hosts: readonly string[]) => Promise<boolean>;

/** What the form says of a new environment. */
export interface INewEnvironment {
  id: string;
  address: string;
  /** A pasted token; empty: the server's `USER_ACCESS_TOKEN`. */
  token: string;
}

/**
 * Add an environment and say where its token comes from; the person is asked
 * by name for every host.
 *
 * @returns null when the person does not agree.
 * @throws EdiError
 */
export async function addEnvironment(
  client: IEdiClient,
  wanted: INewEnvironment,
  confirm: Confirm
): Promise<Info | null> {
  const { id, address } = wanted;
  const request: EnvironmentRequest = { title: id, address };
  const hosts = await agree(
    confirmed_hosts =>
      client.saveEnvironment(id, { ...request, confirmed_hosts }),
    confirm
  );
  return hosts && giveToken(client, id, wanted.token, hosts);
}

/**
 * Hand over a pasted token, asking by name for the hosts that get it.
 *
 * @returns null when the person does not agree.
 * @throws EdiError
 */
export async function pasteToken(
  client: IEdiClient,
  id: string,
  token: string,
  confirm: Confirm
): Promise<Info | null> {
  let info: Info | null = null;
  await agree(async hosts => {
    info = await giveToken(client, id, token, hosts);
  }, confirm);
  return info;
}

function giveToken(
  client: IEdiClient,
  id: string,
  token: string,
  confirmed_hosts: string[]
): Promise<Info> {
  const source: TokenRequest['source'] = token
    ? { kind: 'session', token }
    : { kind: 'variable' };
  return client.chooseToken(id, { source, confirmed_hosts });
}

/** Do it, and once more with the hosts that the person has agreed to. */
async function agree(
  act: (hosts: string[]) => Promise<unknown>,
  confirm: Confirm
): Promise<string[] | null> {
  try {
    await act([]);
    return [];
  } catch (reason) {
    const error = EdiError.from(reason);
    if (error.code !== 'confirmation_needed' || !error.detail) {
      throw error;
    }
    const hosts = error.detail.split('\n');
    if (!(await confirm(hosts))) {
      return null;
    }
    await act(hosts);
    return hosts;
  }
}
