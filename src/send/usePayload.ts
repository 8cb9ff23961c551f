import * as React from 'react';

import type { IRow } from '../deployments/rows';
import { usePanel } from '../panel/context';

/** The text of a request that is being written. */
export interface IPayload {
  text: string;
  setText(text: string): void;
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
  const isTouched = React.useRef(false);

  React.useEffect(() => {
    let isCurrent = true;
    const offer = (value: string | null): void => {
      if (isCurrent && value !== null && !isTouched.current) {
        isTouched.current = true;
        setText(value);
      }
    };
    const load = async (): Promise<void> => {
      offer(await drafts.get(environment, name));
      const answer = await model.client.samplePayload(environment, name);
      if (isCurrent) {
        setSample(answer.payload);
        offer(answer.payload);
      }
    };
    // Without a sample there is an empty editor, which needs no explanation.
    load().catch(() => undefined);
    return () => {
      isCurrent = false;
    };
  }, [model, drafts, environment, name]);

  return {
    text,
    sample,
    setText: value => {
      isTouched.current = true;
      setText(value);
    },
    save: () => {
      if (isTouched.current) {
        void drafts.set(environment, name, text);
      }
    }
  };
}
