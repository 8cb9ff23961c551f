import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { FieldProblem } from './wire';
import { EdiError } from './errors';

/** Characters of a foreign answer that an error repeats. */
const QUOTE = 200;

/** One call of the façade. */
export interface ICall {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Sent as JSON. */
  body?: unknown;
  /** Aborting it ends the call with `cancelled`. */
  signal?: AbortSignal;
}

/**
 * Call a route of our server half and return the JSON that it answers.
 *
 * @param url - Route relative to the base URL, from `urls.ts`.
 * @throws EdiError - always of this class, whatever went wrong.
 */
export async function request<T>(
  url: string,
  settings: ServerConnection.ISettings,
  call: ICall = {}
): Promise<T> {
  const method = call.method ?? 'GET';
  const init: RequestInit = { method, signal: call.signal };
  if (method === 'POST' || method === 'PUT') {
    init.body = JSON.stringify(call.body ?? {});
    // Another site's form cannot send this type.
    init.headers = { 'Content-Type': 'application/json' };
  }
  let response: Response;
  let text: string;
  try {
    response = await ServerConnection.makeRequest(
      URLExt.join(settings.baseUrl, url),
      init,
      settings
    );
    text = await response.text();
  } catch (reason) {
    if (call.signal?.aborted) {
      throw new EdiError({ code: 'cancelled', message: 'Cancelled.' });
    }
    throw new EdiError({
      code: 'unreachable',
      message: 'The Jupyter server does not answer.',
      detail: reason instanceof Error ? reason.message : String(reason)
    });
  }
  const data = parse(text);
  if (response.ok && data !== null) {
    return data as T;
  }
  throw toError(response, data, text);
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const data: unknown = JSON.parse(text);
    return typeof data === 'object' && data !== null && !Array.isArray(data)
      ? (data as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function toError(
  response: Response,
  data: Record<string, unknown> | null,
  text: string
): EdiError {
  const { status } = response;
  const code = textOrNull(data?.code);
  const message = textOrNull(data?.message);
  if (code !== null && message !== null) {
    return new EdiError({
      code,
      message,
      hint: textOrNull(data?.hint),
      detail: textOrNull(data?.detail),
      field: textOrNull(data?.field),
      fields: Array.isArray(data?.fields)
        ? (data.fields as FieldProblem[])
        : null,
      requestId: textOrNull(data?.request_id),
      status
    });
  }
  if (status === 401 || status === 403) {
    return new EdiError({
      code: 'signed_out',
      message: 'The Jupyter server refused the request.',
      detail: message,
      status
    });
  }
  return new EdiError({
    code: 'bad_answer',
    message: 'The Jupyter server answered with something unexpected.',
    detail: `HTTP ${status}: ${(message ?? text).slice(0, QUOTE)}`,
    status
  });
}
