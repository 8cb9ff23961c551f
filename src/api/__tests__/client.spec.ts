import { ServerConnection } from '@jupyterlab/services';

import { EdiClient } from '../client';
import { EdiError } from '../errors';

type Answer = () => Promise<Response>;

function clientWith(answer: Answer): { client: EdiClient; sent: Request[] } {
  const sent: Request[] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://host/user/jo/',
    appendToken: false,
    fetch: ((request: Request) => {
      sent.push(request);
      return answer();
    }) as typeof fetch
  });
  return { client: new EdiClient(settings), sent };
}

function json(status: number, body: unknown): Answer {
  return async () => new Response(JSON.stringify(body), { status });
}

async function failure(promise: Promise<unknown>): Promise<EdiError> {
  const reason = await promise.then(
    () => null,
    (error: unknown) => error
  );
  expect(reason).toBeInstanceOf(EdiError);
  return reason as EdiError;
}

describe('EdiClient', () => {
  it('encodes ids, so that a name cannot change the route', async () => {
    const { client, sent } = clientWith(json(200, { payload: null }));
    await client.samplePayload('wm la', '../../api/shutdown?x#y');
    expect(new URL(sent[0].url).pathname).toBe(
      '/user/jo/edi/environments/wm%20la/deployments/' +
        '..%2F..%2Fapi%2Fshutdown%3Fx%23y/sample-payload'
    );
  });

  it('posts JSON and says so', async () => {
    const { client, sent } = clientWith(json(200, {}));
    await client.infer('local', 'digits', 'not json');
    expect(sent[0].method).toBe('POST');
    expect(sent[0].headers.get('Content-Type')).toBe('application/json');
    expect(await sent[0].text()).toBe('{"payload":"not json"}');
  });

  it('keeps code, message, hint, detail and request id', async () => {
    const { client } = clientWith(
      json(409, {
        code: 'busy',
        message: 'digits is busy.',
        hint: 'Wait.',
        detail: 'more',
        field: null,
        request_id: 'r1'
      })
    );
    const error = await failure(client.stop('local', 'digits'));
    expect(error).toMatchObject({
      code: 'busy',
      message: 'digits is busy.',
      hint: 'Wait.',
      detail: 'more',
      field: null,
      requestId: 'r1',
      status: 409
    });
  });

  it.each([
    ['an HTML page', '<html>404</html>'],
    ['Jupyter’s own body', '{"message": "Not Found", "reason": null}']
  ])(
    'takes a 404 with %s on info for a missing server half',
    async (_, body) => {
      const { client } = clientWith(
        async () => new Response(body, { status: 404 })
      );
      expect((await failure(client.info())).code).toBe('not_installed');
    }
  );

  it('does not take our own 404 for a missing server half', async () => {
    const { client } = clientWith(
      json(404, { code: 'not_found', message: 'No such environment.' })
    );
    expect((await failure(client.info())).code).toBe('not_found');
    expect((await failure(client.list('gone'))).code).toBe('not_found');
  });

  it.each([401, 403])('calls a bare %i a lost session', async status => {
    const { client } = clientWith(json(status, { message: 'Forbidden' }));
    expect((await failure(client.list('local'))).code).toBe('signed_out');
  });

  it.each([
    ['an HTML page with 200', 200, '<html>'],
    ['a list in place of an object', 200, '[]'],
    ['nothing at all', 200, ''],
    ['a gateway’s error page', 502, '<html>Bad gateway</html>']
  ])('calls %s a bad answer', async (_, status, body) => {
    const { client } = clientWith(async () => new Response(body, { status }));
    const error = await failure(client.list('local'));
    expect(error.code).toBe('bad_answer');
    expect(error.detail).toContain(`HTTP ${status}`);
  });

  it('calls a refused connection unreachable', async () => {
    const { client } = clientWith(() =>
      Promise.reject(new TypeError('refused'))
    );
    expect((await failure(client.list('local'))).code).toBe('unreachable');
  });

  it('calls an aborted request cancelled, not failed', async () => {
    const controller = new AbortController();
    const { client } = clientWith(() => {
      controller.abort();
      return Promise.reject(new DOMException('aborted', 'AbortError'));
    });
    const error = await failure(
      client.infer('local', 'digits', '{}', controller.signal)
    );
    expect(error.isCancelled).toBe(true);
  });
});
