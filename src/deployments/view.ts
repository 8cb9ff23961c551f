import type { DeploymentList } from '../api/wire';
import type { EdiError } from '../api/errors';

/** What the server said last about one environment. */
export interface ISnapshot {
  readonly list: DeploymentList;
  /** Milliseconds since the epoch at which it arrived. */
  readonly received: number;
}

/**
 * What there is to show. Impossible combinations cannot be written, and one
 * failed request never blanks a list: an error keeps the last snapshot.
 */
export type View =
  | { readonly kind: 'loading' }
  | {
      readonly kind: 'error';
      readonly error: EdiError;
      readonly stale: ISnapshot | null;
    }
  | { readonly kind: 'ready'; readonly snapshot: ISnapshot };

/** The last known content of a view, fresh or stale. */
export function snapshotOf(view: View): ISnapshot | null {
  switch (view.kind) {
    case 'loading':
      return null;
    case 'error':
      return view.stale;
    case 'ready':
      return view.snapshot;
  }
}
