import * as React from 'react';

import type { Answer } from '../api/wire';
import { EdiError } from '../api/errors';
import { isBusy } from '../deployments/actions';
import type { IRow } from '../deployments/rows';
import { usePanel } from '../panel/context';
import { CommandIDs } from '../tokens';

/**
 * Where a request is: nowhere, waiting for the deployment to become ready, or
 * on its way.
 */
export type SendPhase = 'idle' | 'waiting' | 'sending';

/** What the last request has brought. */
export type Outcome =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'error'; readonly error: EdiError };

/** One request at a time to one deployment. */
export interface ISender {
  phase: SendPhase;
  outcome: Outcome | null;
  /** Send; a deployment that is stopped is started before. */
  send(payload: string): void;
  /** Give up waiting for the deployment or for its answer. */
  cancel(): void;
}

/** Send requests to the deployment of a row. */
export function useSender(row: IRow): ISender {
  const { model, commands } = usePanel();
  const [phase, setPhase] = React.useState<SendPhase>('idle');
  const [outcome, setOutcome] = React.useState<Outcome | null>(null);
  const payload = React.useRef('');
  const running = React.useRef<AbortController | null>(null);
  const { environment, name } = row;

  React.useEffect(() => () => running.current?.abort(), [environment, name]);

  const infer = React.useCallback(async () => {
    const controller = new AbortController();
    running.current = controller;
    setPhase('sending');
    setOutcome(null);
    try {
      const answer = await model.client.infer(
        environment,
        name,
        payload.current,
        controller.signal
      );
      setOutcome({ kind: 'answer', answer });
    } catch (reason) {
      const error = EdiError.from(reason);
      if (!error.isCancelled) {
        setOutcome({ kind: 'error', error });
      }
    } finally {
      setPhase('idle');
    }
  }, [model, environment, name]);

  const isReady = row.state === 'ready';
  const isComing = isReady || row.state === 'starting' || isBusy(row);
  React.useEffect(() => {
    if (phase === 'waiting' && isReady) {
      void infer();
    } else if (phase === 'waiting' && !isComing) {
      // It failed, was stopped, or the person did not want to start it.
      setPhase('idle');
    }
  }, [phase, isReady, isComing, infer]);

  return {
    phase,
    outcome,
    send: (text: string) => {
      if (phase !== 'idle') {
        return;
      }
      payload.current = text;
      if (row.state === 'stopped') {
        setOutcome(null);
        void commands
          .execute(CommandIDs.start, { environment, name })
          .then(() => setPhase('waiting'));
      } else if (row.state === 'starting') {
        setOutcome(null);
        setPhase('waiting');
      } else {
        void infer();
      }
    },
    cancel: () => {
      running.current?.abort();
      setPhase('idle');
    }
  };
}
