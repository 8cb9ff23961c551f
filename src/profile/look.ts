import type { ProfileView } from '../api/wire';
import type { EdiError } from '../api/errors';
import type { ProfileDocument } from './document';
import type { ProfileSheet } from './sheet';

/** What there is to show. */
export type ProfileLook =
  | { readonly kind: 'loading' }
  | { readonly kind: 'error'; readonly error: EdiError }
  | {
      readonly kind: 'ready';
      readonly view: ProfileView;
      readonly sheet: ProfileSheet;
    };

/** What the person is told above the form. */
export type ProfileNotice =
  /** Saved, and in effect if it was restarted. */
  | { readonly kind: 'saved'; readonly isRunning: boolean }
  /** Saved, but the deployment does not run with it. */
  | { readonly kind: 'not-running'; readonly error: EdiError }
  | { readonly kind: 'failed'; readonly error: EdiError }
  /** It waits for the next start, which shows by itself. */
  | { readonly kind: 'waiting' }
  /** Somebody else has saved meanwhile; the edits are on top of that. */
  | { readonly kind: 'moved' };

/** What the model is doing that the form has to wait for. */
export type ProfileWork = 'none' | 'comparing' | 'saving';

/**
 * The document that the form edits: what waits for the next start, as long as
 * that can be used as it is, else what the EDI has.
 */
export function editedDocument(view: ProfileView): ProfileDocument {
  return view.next && !view.next.outdated ? view.next.profile : view.profile;
}
