import * as React from 'react';

import type { IEdiClient } from '../api/client';
import type { FindingInfo, Inspection } from '../api/wire';
import { EdiError } from '../api/errors';
import { isValidName } from './names';

/** The check that a fix is missing for, when there is no such file at all. */
const MISSING = 'missing-file';

/** Milliseconds without a keystroke after which a typed name is looked at. */
const PAUSE = 300;

/** What is known of the folder. */
export type Look =
  | { readonly kind: 'looking' }
  | { readonly kind: 'failed'; readonly error: EdiError }
  | {
      readonly kind: 'seen';
      readonly inspection: Inspection;
      /** The name that it was looked at with; null for the folder's own. */
      readonly name: string | null;
    };

/** A folder as it is now, and the ways to change it. */
export interface IInspected {
  look: Look;
  /** The name to deploy under: the typed one, else the folder's, else a proposal. */
  name: string | null;
  /** Whether a fix is being applied, or the person has the folder looked at again. */
  isBusy: boolean;
  /**
   * Whether the findings are about to change, so that no fix of theirs can be
   * applied now: the folder is looked at, or will be once nothing more is typed.
   */
  isChecking: boolean;
  /** Why the last fix was not applied. */
  fault: EdiError | null;
  /** Look at the folder again. */
  again: () => void;
  /** Apply the fix of one finding. */
  fix: (id: string) => void;
  /** Make all missing files for which there is a fix. */
  createMissing: () => void;
}

/** The fixes that make a file that the folder lacks. */
export function missingFiles(inspection: Inspection): FindingInfo[] {
  return inspection.findings.filter(({ code }) => code === MISSING);
}

/**
 * Look at a folder under the name that it would get, and apply fixes to it one
 * after the other.
 *
 * @param typed - What the person has made of the name; null as long as it is
 * the folder's.
 */
export function useInspection(
  client: IEdiClient,
  path: string,
  typed: string | null
): IInspected {
  const [look, setLook] = React.useState<Look>({ kind: 'looking' });
  const [isBusy, setBusy] = React.useState(false);
  const [fault, setFault] = React.useState<EdiError | null>(null);
  const lifetime = React.useRef(new AbortController());
  /** The name of the newest question; the answer to an older one may come last. */
  const asked = React.useRef<string | null>(null);

  const inspect = React.useCallback(async (): Promise<void> => {
    const { signal } = lifetime.current;
    const name = asked.current;
    try {
      const inspection = await client.inspect(path, name, signal);
      if (name !== asked.current) {
        return;
      }
      const proposed = inspection.proposed_name;
      if (name === null && inspection.own_name === null && proposed !== null) {
        // It would be deployed under this name; only those findings are shown.
        asked.current = proposed;
        await inspect();
      } else {
        setLook({ kind: 'seen', inspection, name });
      }
    } catch (reason) {
      const error = EdiError.from(reason);
      if (!signal.aborted && !error.isCancelled) {
        setLook({ kind: 'failed', error });
      }
    }
  }, [client, path]);

  React.useEffect(() => {
    const controller = (lifetime.current = new AbortController());
    asked.current = null;
    void inspect();
    return () => controller.abort();
  }, [inspect]);

  const name = typed ?? (look.kind === 'seen' ? nameOf(look.inspection) : null);
  const isOutdated =
    look.kind === 'seen' &&
    name !== null &&
    isValidName(name) &&
    name !== (look.name ?? look.inspection.own_name);
  React.useEffect(() => {
    if (!isOutdated) {
      return;
    }
    const pause = window.setTimeout(() => {
      asked.current = name;
      void inspect();
    }, PAUSE);
    return () => window.clearTimeout(pause);
  }, [isOutdated, name, inspect]);

  const isChecking = isBusy || isOutdated;

  /** One thing at a time: a fix is valid only for the folder as it was checked. */
  const change = async (work: () => Promise<void>): Promise<void> => {
    if (isChecking) {
      return;
    }
    setBusy(true);
    setFault(null);
    try {
      await work();
    } catch (reason) {
      setFault(EdiError.from(reason));
      await inspect();
    } finally {
      setBusy(false);
    }
  };

  const apply = async (id: string): Promise<Inspection> => {
    const name = asked.current;
    const inspection = await client.fix(path, id, name);
    if (name === asked.current) {
      setLook({ kind: 'seen', inspection, name });
    } else {
      // Another name was asked for meanwhile; its findings are the ones to show.
      await inspect();
    }
    return inspection;
  };

  const createMissing = async (): Promise<void> => {
    let inspection = look.kind === 'seen' ? look.inspection : null;
    let known = Infinity;
    while (inspection !== null) {
      // Each new file changes what the next one says, and so its fix.
      const missing = missingFiles(inspection);
      const next = missing.find(({ fix }) => fix !== null)?.fix;
      if (!next || missing.length >= known) {
        return;
      }
      known = missing.length;
      inspection = await apply(next.id);
    }
  };

  return {
    look,
    name,
    isBusy,
    isChecking,
    fault,
    again: () => void change(inspect),
    fix: id =>
      void change(async () => {
        await apply(id);
      }),
    createMissing: () => void change(createMissing)
  };
}

/** The name of the folder itself, else the one that is offered for it. */
function nameOf({ own_name, proposed_name }: Inspection): string | null {
  return own_name ?? proposed_name;
}
