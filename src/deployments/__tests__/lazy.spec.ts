import { FakeClient } from '../../__tests__/fakes';
import { LazyDeployments } from '../lazy';
import { DeploymentsModel } from '../model';

describe('LazyDeployments', () => {
  const make = async (): Promise<DeploymentsModel> =>
    new DeploymentsModel({ client: new FakeClient() });

  it('makes one model, when it is first needed', async () => {
    const create = jest.fn(make);
    const deployments = new LazyDeployments(create);
    expect(deployments.current).toBeNull();
    expect(create).not.toHaveBeenCalled();
    const [a, b] = await Promise.all([deployments.load(), deployments.load()]);
    expect(a).toBe(b);
    expect(deployments.current).toBe(a);
    expect(create).toHaveBeenCalledTimes(1);
  });

  it('is prepared before anybody gets the model', async () => {
    const deployments = new LazyDeployments(make);
    const steps: string[] = [];
    deployments.prepare(async () => {
      await Promise.resolve();
      steps.push('prepared');
    });
    await deployments.load();
    steps.push('loaded');
    deployments.prepare(() => {
      steps.push('prepared at once');
    });
    expect(steps).toEqual(['prepared', 'loaded', 'prepared at once']);
  });

  it('is not held up by a step that fails', async () => {
    const told = jest.spyOn(console, 'error').mockImplementation();
    const deployments = new LazyDeployments(make);
    deployments.prepare(() => Promise.reject(new Error('no')));
    await expect(deployments.load()).resolves.toBeTruthy();
    expect(told).toHaveBeenCalledTimes(1);
    told.mockRestore();
  });

  it('tries again after the code could not be fetched', async () => {
    const create = jest.fn(make).mockRejectedValueOnce(new Error('offline'));
    const deployments = new LazyDeployments(create);
    await expect(deployments.load()).rejects.toThrow('offline');
    const model = await deployments.load();
    expect(deployments.current).toBe(model);
  });
});
