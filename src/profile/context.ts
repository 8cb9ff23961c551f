import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { ProfileModel } from './model';
import type { ProfileSheet } from './sheet';
import type { Settle } from './useSettle';

/** What every component of the form may use. */
export interface IProfileContext {
  model: ProfileModel;
  sheet: ProfileSheet;
  trans: TranslationBundle;
  /** Told when the person has finished with a field. */
  settle: Settle;
  /** Whether nothing can be changed just now. */
  isBusy: boolean;
  /** Begins every id, so that two forms can be on one page. */
  id: string;
}

export const ProfileContext = React.createContext<IProfileContext | null>(null);

/** The form that the component is part of. */
export function useProfile(): IProfileContext {
  const context = React.useContext(ProfileContext);
  if (context === null) {
    throw new Error('This component is used outside of a profile form.');
  }
  return context;
}
