import type { JobKind } from '../api/wire';

/** Actions that were asked for and that the server has not answered yet. */
export class PendingActions {
  get isEmpty(): boolean {
    return this._actions.size === 0;
  }

  add(environment: string, name: string, kind: JobKind): void {
    this._actions.set(key(environment, name), { environment, name, kind });
  }

  remove(environment: string, name: string): void {
    this._actions.delete(key(environment, name));
  }

  /** The actions in one environment, by name of the deployment. */
  in(environment: string): ReadonlyMap<string, JobKind> {
    return new Map(
      [...this._actions.values()]
        .filter(action => action.environment === environment)
        .map(({ name, kind }) => [name, kind])
    );
  }

  private readonly _actions = new Map<
    string,
    { environment: string; name: string; kind: JobKind }
  >();
}

function key(environment: string, name: string): string {
  return JSON.stringify([environment, name]);
}
