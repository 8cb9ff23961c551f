import {
  FakeClient,
  aDeployment,
  aJob,
  anEnvironment
} from '../../__tests__/fakes';
import { EdiError } from '../../api/errors';
import { DeploymentsModel } from '../model';
import { HURRIED, LONGEST, STEADY } from '../poll';

describe('DeploymentsModel', () => {
  let client: FakeClient;
  let connection: { isConnected: boolean };
  let model: DeploymentsModel;

  beforeEach(() => {
    jest.useFakeTimers();
    client = new FakeClient();
    connection = { isConnected: true };
    model = new DeploymentsModel({ client, connection });
  });

  afterEach(() => {
    model.dispose();
    jest.useRealTimers();
  });

  const wait = (milliseconds: number): Promise<void> =>
    jest.advanceTimersByTimeAsync(milliseconds);

  /** Show the panel and let the first answer arrive. */
  const show = async (): Promise<void> => {
    model.isActive = true;
    await wait(1);
  };

  const refresh = async (): Promise<void> => {
    const done = model.refresh();
    await wait(1);
    await done;
  };

  const outage = (): EdiError =>
    new EdiError({ code: 'unreachable', message: 'gone' });

  describe('polling', () => {
    it('sends nothing until somebody looks', async () => {
      await wait(10 * STEADY);
      expect(client.info).not.toHaveBeenCalled();
      expect(client.list).not.toHaveBeenCalled();
      expect(client.jobs).not.toHaveBeenCalled();
    });

    it('asks every five seconds while nothing happens', async () => {
      client.deployments = [aDeployment('digits')];
      await show();
      client.list.mockClear();
      await wait(4 * STEADY);
      expect(client.list).toHaveBeenCalledTimes(4);
      expect(client.info).toHaveBeenCalledTimes(1);
    });

    it.each([
      [
        'a deployment starts',
        { deployments: [aDeployment('a', { state: 'starting' })] }
      ],
      [
        'a deployment stops',
        { deployments: [aDeployment('a', { state: 'stopping' })] }
      ],
      ['the engine starts', { engine: 'starting' }],
      ['a job runs', { allJobs: [aJob('1', 'a')] }]
    ])('asks every two seconds while %s', async (_, state) => {
      Object.assign(client, state);
      await show();
      client.list.mockClear();
      await wait(4 * HURRIED);
      expect(client.list).toHaveBeenCalledTimes(4);
    });

    it('slows down again when all is quiet', async () => {
      client.deployments = [aDeployment('a', { state: 'starting' })];
      await show();
      client.deployments = [aDeployment('a')];
      await wait(HURRIED);
      client.list.mockClear();
      await wait(2 * STEADY);
      expect(client.list).toHaveBeenCalledTimes(2);
    });

    it('stops when the panel is hidden and resumes at once', async () => {
      await show();
      model.isActive = false;
      client.list.mockClear();
      await wait(10 * STEADY);
      expect(client.list).not.toHaveBeenCalled();
      await show();
      expect(client.list).toHaveBeenCalledTimes(1);
    });

    it('stops while the Jupyter server is out of reach', async () => {
      await show();
      connection.isConnected = false;
      client.list.mockClear();
      await wait(10 * STEADY);
      expect(client.list).not.toHaveBeenCalled();
    });

    it('watches only its jobs while hidden, and then falls silent', async () => {
      await show();
      await model.deploy(
        'local',
        { source: { kind: 'folder', path: 'x' } },
        'digits'
      );
      await wait(1);
      model.isActive = false;
      client.list.mockClear();
      await wait(HURRIED + 1);
      expect(client.jobs).toHaveBeenCalled();
      expect(client.list).not.toHaveBeenCalled();

      client.change('job-deploy', { state: 'done' });
      await wait(HURRIED);
      client.jobs.mockClear();
      await wait(10 * STEADY);
      expect(client.jobs).not.toHaveBeenCalled();
    });

    it('shares one further request between calls at the same time', async () => {
      await show();
      let answer: () => void = () => undefined;
      const list = client.list.getMockImplementation()!;
      client.list.mockClear();
      client.list.mockImplementationOnce(async environment => {
        await new Promise<void>(resolve => (answer = resolve));
        return list(environment);
      });
      void model.refresh();
      await wait(1);
      expect(client.list).toHaveBeenCalledTimes(1);
      void model.refresh();
      void model.refresh();
      void model.refresh();
      await wait(1);
      expect(client.list).toHaveBeenCalledTimes(1);
      answer();
      await wait(1);
      expect(client.list).toHaveBeenCalledTimes(2);
    });

    it('waits longer and longer after failures', async () => {
      await show();
      client.info.mockRejectedValue(outage());
      client.list.mockRejectedValue(outage());
      client.info.mockClear();
      await wait(20 * LONGEST);
      const tries =
        client.info.mock.calls.length + client.list.mock.calls.length;
      expect(tries).toBeGreaterThan(15);
      expect(tries).toBeLessThan(60);
    });
  });

  describe('view', () => {
    it('goes from loading to ready', async () => {
      expect(model.view.kind).toBe('loading');
      await show();
      expect(model.view.kind).toBe('ready');
    });

    it('keeps the last rows when a request fails, and recovers', async () => {
      client.deployments = [aDeployment('digits')];
      await show();
      client.list.mockRejectedValueOnce(outage());
      await refresh();
      expect(model.view).toMatchObject({
        kind: 'error',
        error: { code: 'unreachable' }
      });
      expect(model.rows.map(row => row.name)).toEqual(['digits']);
      await wait(LONGEST);
      expect(model.view.kind).toBe('ready');
    });

    it('has no stale rows when the first request fails', async () => {
      client.info.mockRejectedValueOnce(
        new EdiError({ code: 'not_installed', message: 'no' })
      );
      await show();
      expect(model.view).toMatchObject({ kind: 'error', stale: null });
      expect(model.rows).toEqual([]);
    });

    it('keeps the known rows when the server cannot ask the engine', async () => {
      client.deployments = [aDeployment('digits')];
      await show();
      const list = await client.list('local');
      client.list.mockResolvedValueOnce({
        ...list,
        revision: 'r',
        stale: true,
        error: {
          code: 'upstream_unreachable',
          message: 'The engine does not answer.',
          hint: null,
          field: null,
          detail: null,
          fields: null
        }
      });
      await refresh();
      expect(model.view).toMatchObject({
        kind: 'error',
        error: { code: 'upstream_unreachable' }
      });
      expect(model.rows).toHaveLength(1);
    });

    it('says nothing when nothing has changed', async () => {
      client.deployments = [aDeployment('digits')];
      await show();
      const rows = model.rows;
      const changed = jest.fn();
      model.changed.connect(changed);
      await wait(3 * STEADY);
      expect(changed).not.toHaveBeenCalled();
      expect(model.rows).toBe(rows);
    });

    it('draws anew only the rows that have changed', async () => {
      client.deployments = [aDeployment('a'), aDeployment('b')];
      await show();
      const [a, b] = model.rows;
      client.deployments = [
        aDeployment('a'),
        aDeployment('b', { state: 'failed' })
      ];
      await wait(STEADY);
      expect(model.rows[0]).toBe(a);
      expect(model.rows[1]).not.toBe(b);
    });

    it('drops an answer that comes after the environment was changed', async () => {
      client.environments = [anEnvironment('local'), anEnvironment('wmla')];
      await show();
      client.list.mockImplementationOnce(async () => {
        model.setEnvironment('wmla');
        return {
          environment: 'local',
          engine: 'running',
          deployments: [aDeployment('of-local')],
          jobs: [],
          revision: 'x',
          error: null,
          stale: false
        };
      });
      await refresh();
      await wait(1);
      expect(model.environment?.id).toBe('wmla');
      expect(model.rows).toEqual([]);
      expect(client.list).toHaveBeenLastCalledWith('wmla');
    });

    it('shows the first environment when the wanted one is gone', async () => {
      model.setEnvironment('gone');
      await show();
      expect(model.environment?.id).toBe('local');
    });
  });

  describe('actions', () => {
    it('show as pending until the server has answered', async () => {
      client.deployments = [aDeployment('digits')];
      await show();
      let answer: (value: ReturnType<typeof aJob>) => void = () => undefined;
      client.stop.mockImplementationOnce(
        () => new Promise(resolve => (answer = resolve))
      );
      const done = model.act('stop', 'local', 'digits');
      expect(model.row('digits')).toMatchObject({
        state: 'stopping',
        pending: 'stop'
      });
      const job = aJob('1', 'digits', { kind: 'stop' });
      client.allJobs = [job];
      answer(job);
      await done;
      expect(model.row('digits')).toMatchObject({
        state: 'stopping',
        pending: null,
        job: { id: '1' }
      });
    });

    it('are taken back when the server refuses', async () => {
      client.deployments = [aDeployment('digits')];
      await show();
      client.stop.mockRejectedValueOnce(
        new EdiError({ code: 'busy', message: 'busy' })
      );
      await expect(model.act('stop', 'local', 'digits')).rejects.toThrow(
        'busy'
      );
      expect(model.row('digits')).toMatchObject({
        state: 'ready',
        pending: null
      });
    });

    it('end exactly once', async () => {
      await show();
      const ended = jest.fn();
      model.jobEnded.connect((_, job) => ended(job.id, job.state));
      await model.deploy(
        'local',
        { source: { kind: 'sample', sample: 'pingpong' } },
        'digits'
      );
      await wait(1);
      client.change('job-deploy', { state: 'done' });
      await wait(10 * STEADY);
      expect(ended.mock.calls).toEqual([['job-deploy', 'done']]);
    });

    it('end as lost when the server has forgotten the job', async () => {
      await show();
      const ended = jest.fn();
      model.jobEnded.connect((_, job) => ended(job.state, job.error?.code));
      await model.deploy(
        'local',
        { source: { kind: 'folder', path: 'x' } },
        'digits'
      );
      client.allJobs = [];
      await wait(2 * HURRIED);
      expect(ended.mock.calls).toEqual([['failed', 'job_lost']]);
    });

    it('of another environment are followed too', async () => {
      client.environments = [anEnvironment('local'), anEnvironment('wmla')];
      await show();
      const ended = jest.fn();
      model.jobEnded.connect((_, job) => ended(job.environment));
      await model.deploy(
        'wmla',
        { source: { kind: 'folder', path: 'x' } },
        'digits'
      );
      expect(model.rows).toEqual([]);
      await wait(HURRIED);
      client.change('job-deploy', { state: 'done' });
      await wait(HURRIED);
      expect(ended.mock.calls).toEqual([['wmla']]);
    });

    it('can be cancelled', async () => {
      await show();
      await model.deploy(
        'local',
        { source: { kind: 'folder', path: 'x' } },
        'digits'
      );
      await model.cancel('job-deploy');
      expect(client.cancel).toHaveBeenCalledWith('job-deploy');
      expect(model.row('digits')?.job?.cancelling).toBe(true);
    });
  });

  it('is silent once disposed', async () => {
    await show();
    model.dispose();
    client.list.mockClear();
    await wait(10 * STEADY);
    expect(client.list).not.toHaveBeenCalled();
  });
});
