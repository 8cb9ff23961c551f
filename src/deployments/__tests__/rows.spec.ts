import { aDeployment, aJob } from '../../__tests__/fakes';
import type { Job } from '../../api/wire';
import type { IRow, IRowSources } from '../rows';
import { allows } from '../actions';
import { toRows } from '../rows';

function rows(sources: Partial<IRowSources>): IRow[] {
  return toRows({
    environment: 'local',
    deployments: [],
    jobs: [],
    pending: new Map(),
    dismissed: new Set(),
    ...sources
  });
}

const FAILED: Partial<Job> = {
  state: 'failed',
  error: {
    code: 'too_large',
    message: 'Too large.',
    hint: null,
    field: null,
    detail: null,
    fields: null
  }
};

describe('toRows', () => {
  it('sorts by name, numbers as numbers', () => {
    const deployments = ['m-10', 'm-9', 'a'].map(name => aDeployment(name));
    expect(rows({ deployments }).map(row => row.name)).toEqual([
      'a',
      'm-9',
      'm-10'
    ]);
  });

  it.each([
    ['deploy', 'upload', 'deploying'],
    ['deploy', 'start', 'starting'],
    ['start', 'start', 'starting'],
    ['stop', 'stop', 'stopping'],
    ['undeploy', 'stop', 'removing']
  ] as const)('shows %s in phase %s as %s', (kind, phase, state) => {
    const [row] = rows({
      deployments: [aDeployment('a', { state: 'stopped' })],
      jobs: [aJob('1', 'a', { kind, phase })]
    });
    expect(row.state).toBe(state);
  });

  it('has a row for what is still being made', () => {
    const [row] = rows({ jobs: [aJob('1', 'new')] });
    expect(row).toMatchObject({ name: 'new', deployment: null });
  });

  it('has no row for a job that undeploys what is already gone', () => {
    const jobs = [aJob('1', 'gone', { kind: 'undeploy' })];
    expect(rows({ jobs })).toEqual([]);
  });

  it('keeps a failed deploy until it is dismissed', () => {
    const jobs = [aJob('1', 'new', FAILED)];
    expect(rows({ jobs })[0]).toMatchObject({
      state: 'failed',
      failure: { id: '1' }
    });
    expect(rows({ jobs, dismissed: new Set(['1']) })).toEqual([]);
  });

  it('forgets a failed deploy that was done again', () => {
    const jobs = [aJob('1', 'a', FAILED), aJob('2', 'a', { state: 'done' })];
    expect(rows({ jobs })).toEqual([]);
    const [row] = rows({ jobs, deployments: [aDeployment('a')] });
    expect(row).toMatchObject({ state: 'ready', failure: null });
  });

  it('leaves other environments out', () => {
    const jobs = [aJob('1', 'a', { environment: 'wmla' })];
    expect(rows({ jobs })).toEqual([]);
  });
});

describe('allows', () => {
  it.each([
    ['stopped', ['start', 'undeploy', 'send']],
    ['starting', ['stop', 'undeploy', 'send']],
    ['ready', ['stop', 'undeploy', 'send']],
    ['failed', ['start', 'stop', 'undeploy', 'send']],
    ['stopping', ['undeploy', 'send']],
    ['unknown', ['stop', 'undeploy', 'send']]
  ] as const)('in state %s allows %j', (state, expected) => {
    const [row] = rows({ deployments: [aDeployment('a', { state })] });
    const actions = (['start', 'stop', 'undeploy', 'send'] as const).filter(
      action => allows(row, action)
    );
    expect(actions).toEqual(expected);
  });

  it('allows no second action while one runs', () => {
    const [row] = rows({
      deployments: [aDeployment('a')],
      jobs: [aJob('1', 'a', { kind: 'stop' })]
    });
    expect(allows(row, 'stop') || allows(row, 'undeploy')).toBe(false);
  });
});
