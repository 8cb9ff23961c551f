import type { Event } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';

import {
  aDeployment,
  aJob,
  anEnvironment,
  FakeClient
} from '../../__tests__/fakes';
import { EdiError } from '../../api/errors';
import { CHANGED_EVENT, GRACE, PAUSE, RENEWAL } from '../live';
import { DeploymentsModel } from '../model';
import { HURRIED, RELAXED, STEADY } from '../poll';

/** The Jupyter server's events, as far as the model sees them. */
class FakeEvents {
  readonly signal = new Signal<object, Event.Emission>(this);
  readonly stream = this.signal as unknown as Event.Stream;

  emit(environment: string, revision: string, schema_id = CHANGED_EVENT): void {
    this.signal.emit({ schema_id, environment, revision });
  }
}

describe('live updates', () => {
  let client: FakeClient;
  let connection: { isConnected: boolean };
  let events: FakeEvents;
  let model: DeploymentsModel;

  beforeEach(() => {
    jest.useFakeTimers();
    client = new FakeClient();
    client.deployments = [aDeployment('digits')];
    connection = { isConnected: true };
    events = new FakeEvents();
    model = new DeploymentsModel({ client, connection, events });
  });

  afterEach(() => {
    model.dispose();
    jest.useRealTimers();
  });

  const wait = (milliseconds: number): Promise<void> =>
    jest.advanceTimersByTimeAsync(milliseconds);

  const revision = async (environment = 'local'): Promise<string> => {
    const { revision } =
      await client.list.getMockImplementation()!(environment);
    return revision;
  };

  /** The watcher sees the list as it is now and tells of it. */
  const announce = async (environment = 'local'): Promise<void> => {
    events.emit(environment, await revision(environment));
  };

  /** Show the panel, and let the event of the watcher's first look arrive. */
  const show = async (): Promise<void> => {
    model.isActive = true;
    await wait(1);
    await announce();
    // The next request was scheduled before it was known that events work.
    await wait(STEADY);
    client.list.mockClear();
    client.lease.mockClear();
  };

  describe('an event', () => {
    it('brings a change at once', async () => {
      await show();
      client.deployments = [aDeployment('digits', { state: 'failed' })];
      await announce();
      await wait(PAUSE);
      expect(client.list).toHaveBeenCalledTimes(1);
      expect(model.row('digits')?.state).toBe('failed');
    });

    it('of what is known already asks for nothing', async () => {
      await show();
      await announce();
      await announce();
      await wait(PAUSE);
      expect(client.list).not.toHaveBeenCalled();
    });

    it('during a request waits for its answer', async () => {
      await show();
      client.deployments = [aDeployment('digits', { state: 'failed' })];
      const done = model.refresh();
      await announce();
      await wait(PAUSE);
      await done;
      expect(client.list).toHaveBeenCalledTimes(1);
    });

    it('is one of many that share a request', async () => {
      await show();
      for (let tasks = 1; tasks <= 20; tasks++) {
        client.deployments = [aDeployment('digits', { pending_tasks: tasks })];
        await announce();
        await wait(PAUSE / 10);
      }
      await wait(PAUSE);
      expect(client.list.mock.calls.length).toBeLessThanOrEqual(4);
      expect(model.row('digits')?.deployment?.pending_tasks).toBe(20);
    });

    it('of somebody else is none of ours', async () => {
      await show();
      events.emit('local', 'other', 'https://events.jupyter.org/contents');
      await wait(PAUSE);
      expect(client.list).not.toHaveBeenCalled();
    });

    it('of another environment counts only while a job runs there', async () => {
      client.environments = [anEnvironment('local'), anEnvironment('wmla')];
      await show();
      events.emit('wmla', 'a');
      await wait(PAUSE);
      expect(client.list).not.toHaveBeenCalled();

      client.allJobs = [aJob('1', 'far', { environment: 'wmla' })];
      await model.act('start', 'wmla', 'far');
      await wait(1);
      client.list.mockClear();
      events.emit('wmla', 'b');
      await wait(PAUSE);
      expect(client.list).toHaveBeenCalledTimes(1);
    });

    it('asks for nothing while the panel or the page is hidden', async () => {
      await show();
      model.isActive = false;
      events.emit('local', 'while the panel is hidden');
      await wait(RELAXED);
      model.isActive = true;
      await wait(PAUSE);
      client.list.mockClear();
      model.isHidden = true;
      events.emit('local', 'while the page is hidden');
      await wait(PAUSE);
      expect(client.list).not.toHaveBeenCalled();
    });
  });

  describe('asking', () => {
    it('becomes a safety net once events arrive', async () => {
      await show();
      await wait(2 * RELAXED);
      expect(client.list).toHaveBeenCalledTimes(2);
    });

    it('stays a safety net while something is on its way', async () => {
      client.deployments = [aDeployment('digits', { state: 'starting' })];
      await show();
      await wait(10 * HURRIED);
      expect(client.list).not.toHaveBeenCalled();
    });

    it('stays as it was where no event arrives', async () => {
      model.isActive = true;
      await wait(1);
      client.list.mockClear();
      await wait(4 * STEADY);
      expect(client.list).toHaveBeenCalledTimes(4);
    });

    it('takes over when a change shows that no event has told of', async () => {
      await show();
      client.deployments = [];
      await wait(RELAXED);
      expect(client.list).toHaveBeenCalledTimes(1);
      await wait(GRACE);
      client.list.mockClear();
      await wait(4 * STEADY);
      expect(client.list).toHaveBeenCalledTimes(4);

      // Until the next one arrives.
      await announce();
      await wait(STEADY);
      client.list.mockClear();
      await wait(4 * STEADY);
      expect(client.list).not.toHaveBeenCalled();
    });

    it('trusts an event that comes a little after the change', async () => {
      await show();
      client.deployments = [];
      void model.refresh();
      await wait(GRACE / 2);
      await announce();
      await wait(GRACE);
      client.list.mockClear();
      await wait(4 * STEADY);
      expect(client.list).not.toHaveBeenCalled();
    });

    it('takes over after an outage', async () => {
      await show();
      client.list.mockRejectedValueOnce(
        new EdiError({ code: 'unreachable', message: 'gone' })
      );
      await wait(RELAXED);
      expect(model.view.kind).toBe('ready');
      client.list.mockClear();
      await wait(4 * STEADY);
      expect(client.list.mock.calls.length).toBeGreaterThanOrEqual(2);
    });
  });

  describe('the lease', () => {
    it('is taken when the list shows, and renewed while it does', async () => {
      model.isActive = true;
      await wait(1);
      expect(client.lease).toHaveBeenCalledTimes(1);
      const [environment, tab] = client.lease.mock.lastCall!;
      expect(environment).toBe('local');
      expect(tab).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
      await wait(3 * RENEWAL);
      expect(client.lease).toHaveBeenCalledTimes(4);
      expect(new Set(client.lease.mock.calls.map(call => call[1])).size).toBe(
        1
      );
    });

    it('is of the environment that shows', async () => {
      client.environments = [anEnvironment('local'), anEnvironment('wmla')];
      await show();
      model.setEnvironment('wmla');
      await wait(1);
      expect(client.lease).toHaveBeenLastCalledWith('wmla', expect.anything());
    });

    it.each([
      ['the panel is hidden', () => (model.isActive = false)],
      ['the page is hidden', () => (model.isHidden = true)],
      ['Jupyter is out of reach', () => (connection.isConnected = false)]
    ])('ends when %s, as does everything', async (_, hide) => {
      await show();
      hide();
      client.info.mockClear();
      await wait(10 * RENEWAL);
      expect(client.lease).not.toHaveBeenCalled();
      // The one clock of requests asks the browser itself whether the page is hidden.
      if (!model.isHidden) {
        expect(client.list).not.toHaveBeenCalled();
      }
      expect(client.info).not.toHaveBeenCalled();
    });

    it('is taken again when the page shows again', async () => {
      await show();
      model.isHidden = true;
      await wait(RENEWAL);
      client.lease.mockClear();
      client.list.mockClear();
      model.isHidden = false;
      await wait(1);
      expect(client.lease).toHaveBeenCalledTimes(1);
      expect(client.list).toHaveBeenCalledTimes(1);
    });

    it('that is refused does no harm', async () => {
      client.lease.mockRejectedValue(
        new EdiError({ code: 'not_found', message: 'no such route' })
      );
      model.isActive = true;
      await wait(10 * RENEWAL);
      expect(model.view.kind).toBe('ready');
    });

    it('is not taken where there are no events', async () => {
      const plain = new DeploymentsModel({ client, connection });
      plain.isActive = true;
      await wait(2 * RENEWAL);
      expect(client.lease).not.toHaveBeenCalled();
      plain.dispose();
    });
  });

  it('is silent once disposed', async () => {
    await show();
    model.dispose();
    events.emit('local', 'late');
    await wait(10 * RENEWAL);
    expect(client.list).not.toHaveBeenCalled();
    expect(client.lease).not.toHaveBeenCalled();
  });
});
