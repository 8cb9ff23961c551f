import * as React from 'react';

import { EdiError } from '../api/errors';
import type { DeploymentsModel } from '../deployments/model';
import type { IRow } from '../deployments/rows';
import type { View } from '../deployments/view';
import { usePanel } from '../panel/context';

/** The text of a request that is being written. */
export interface IPayload {
  text: string;
  setText(text: string): void;
  /** Whether the first text is still on its way. */
  isLoading: boolean;
  /** The request that the deployment's README shows, if it shows one. */
  sample: string | null;
  /** Remember the text for the next visit. */
  save(): void;
}

/** Start with the last payload of the deployment, else with its README's. */
export function usePayload(row: IRow): IPayload {
  const { model, drafts } = usePanel();
  const { environment, name } = row;
  const [text, setText] = React.useState('');
  const [sample, setSample] = React.useState<string | null>(null);
  const [isLoading, setIsLoading] = React.useState(true);
  const isTouched = React.useRef(false);

  React.useEffect(() => {
    let isCurrent = true;
    const offer = (value: string | null): void => {
      if (isCurrent && value !== null && !isTouched.current) {
        isTouched.current = true;
        setText(value);
        setIsLoading(false);
      }
    };
    const stop = new AbortController();
    const load = async (): Promise<void> => {
      // A browser that keeps nothing is no reason not to send.
      offer(await drafts.get(environment, name).catch(() => null));
      while (isCurrent) {
        const { view } = model;
        try {
          const answer = await model.client.samplePayload(environment, name);
          if (isCurrent) {
            setSample(answer.payload);
            offer(answer.payload);
          }
          return;
        } catch (reason) {
          if (!mayPass(EdiError.from(reason))) {
            // Without a sample there is an empty editor, which needs no words.
            return;
          }
        } finally {
          if (isCurrent) {
            setIsLoading(false);
          }
        }
        await newList(model, view, stop.signal);
      }
    };
    void load();
    return () => {
      isCurrent = false;
      stop.abort();
    };
  }, [model, drafts, environment, name]);

  return {
    text,
    sample,
    isLoading,
    setText: value => {
      isTouched.current = true;
      setText(value);
      setIsLoading(false);
    },
    save: () => {
      if (isTouched.current) {
        void drafts.set(environment, name, text);
      }
    }
  };
}

/** Whether what was refused may be answered once the engine or server is back. */
function mayPass(error: EdiError): boolean {
  return error.status === null || error.status >= 500;
}

/**
 * Wait until the server has answered with another list than the one of `view`,
 * or until `signal` says that nobody waits any more.
 */
function newList(
  model: DeploymentsModel,
  view: View,
  signal: AbortSignal
): Promise<void> {
  return new Promise(resolve => {
    const look = (): void => {
      if (
        signal.aborted ||
        (model.view.kind === 'ready' && model.view !== view)
      ) {
        model.changed.disconnect(look);
        signal.removeEventListener('abort', look);
        resolve();
      }
    };
    model.changed.connect(look);
    signal.addEventListener('abort', look);
    look();
  });
}
