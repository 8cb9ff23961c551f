import * as React from 'react';

import type { IEdiClient } from '../api/client';
import type { FindingInfo, Inspection } from '../api/wire';
import { EdiError } from '../api/errors';

/** The check that a fix is missing for, when there is no such file at all. */
const MISSING = 'missing-file';

/** Milliseconds without a keystroke after which a typed name is looked at. */
const PAUSE = 300;

/** What is known of the folder. */
export type Look =
  | { readonly kind: 'looking' }
  | { readonly kind: 'failed'; readonly error: EdiError }
  | { readonly kind: 'seen'; readonly inspection: Inspection };

/** A folder as it is now, and the ways to change it. */
export interface IInspected {
  look: Look;
  /** Whether a fix is being applied, or the folder is looked at again. */
  isBusy: boolean;
  /** Why the last fix was not applied. */
  fault: EdiError | null;
  /** Look at the folder again. */
  again: () => void;
  /** Have the findings reflect this name, once nothing more is typed. */
  name: (name: string) => void;
  /** Apply the fix of one finding. */
  fix: (id: string) => void;
  /** Make all missing files for which there is a fix. */
  createMissing: () => void;
}

/** The fixes that make a file that the folder lacks. */
export function missingFiles(inspection: Inspection): FindingInfo[] {
  return inspection.findings.filter(({ code }) => code === MISSING);
}

/** Look at a folder, and apply fixes to it one after the other. */
export function useInspection(client: IEdiClient, path: string): IInspected {
  const [look, setLook] = React.useState<Look>({ kind: 'looking' });
  const [isBusy, setBusy] = React.useState(false);
  const [fault, setFault] = React.useState<EdiError | null>(null);
  const lifetime = React.useRef(new AbortController());
  /** The name that the folder is looked at with; null for its own. */
  const asked = React.useRef<string | null>(null);
  /** The name that the shown findings, and so their fixes, go by. */
  const shown = React.useRef<string | null>(null);
  const pause = React.useRef<number>();

  const inspect = React.useCallback(async (): Promise<void> => {
    const { signal } = lifetime.current;
    const name = asked.current;
    try {
      const inspection = await client.inspect(path, name, signal);
      // The answer about a name that was typed over may come last.
      if (name === asked.current) {
        shown.current = name;
        setLook({ kind: 'seen', inspection });
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
    asked.current = shown.current = null;
    void inspect();
    return () => {
      controller.abort();
      window.clearTimeout(pause.current);
    };
  }, [inspect]);

  const own = look.kind === 'seen' ? look.inspection.name : null;
  const name = React.useCallback(
    (wanted: string): void => {
      window.clearTimeout(pause.current);
      if (wanted !== (asked.current ?? own)) {
        pause.current = window.setTimeout(() => {
          asked.current = wanted;
          void inspect();
        }, PAUSE);
      }
    },
    [inspect, own]
  );

  /** One thing at a time: a fix is valid only for the folder as it was checked. */
  const change = async (work: () => Promise<void>): Promise<void> => {
    if (isBusy) {
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
    const name = shown.current;
    const inspection = await client.fix(path, id, name);
    if (name === asked.current) {
      setLook({ kind: 'seen', inspection });
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
    isBusy,
    fault,
    name,
    again: () => void change(inspect),
    fix: id =>
      void change(async () => {
        await apply(id);
      }),
    createMissing: () => void change(createMissing)
  };
}
