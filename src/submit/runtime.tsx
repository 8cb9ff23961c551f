import { HTMLSelect } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IEdiClient } from '../api/client';
import type { RuntimeInfo, RuntimeList } from '../api/wire';
import { plainText } from '../panel/plainText';

interface IRuntimeFieldProps {
  client: IEdiClient;
  environment: string;
  /** The runtime that `model.json` names. */
  described: string | null;
  /** The chosen one; null for that of `model.json`. */
  value: string | null;
  trans: TranslationBundle;
  onChange: (type: string | null) => void;
}

/**
 * The Python that the kernels run in. Until the environment has said which ones
 * there are, that of `model.json` shows, so that nobody has to wait.
 */
export function RuntimeField(props: IRuntimeFieldProps): JSX.Element {
  const { client, described, environment, onChange, trans, value } = props;
  const id = React.useId();
  const { list, isAsking } = useRuntimes(client, environment);
  const runtimes = list?.runtimes ?? [];
  const ofFolder = described ?? list?.default ?? null;
  const chosen = runtimes.find(({ type }) => type === (value ?? ofFolder));
  return (
    <div className="edi-Field">
      <label htmlFor={`${id}-runtime`}>{trans.__('Runtime')}</label>
      <HTMLSelect
        id={`${id}-runtime`}
        aria-describedby={`${id}-note`}
        value={value ?? ofFolder ?? ''}
        onChange={event => {
          const type = event.target.value;
          onChange(type === ofFolder || type === '' ? null : type);
        }}
      >
        {chosen === undefined && (
          <option value={ofFolder ?? ''}>
            {ofFolder === null
              ? trans.__('As model.json says')
              : plainText(ofFolder)}
          </option>
        )}
        {groups(runtimes, trans).map(([title, members]) => (
          <optgroup key={title} label={title}>
            {members.map(runtime => (
              <option key={runtime.type} value={runtime.type}>
                {label(runtime, trans)}
              </option>
            ))}
          </optgroup>
        ))}
      </HTMLSelect>
      <span id={`${id}-note`} className="edi-Field-note" role="status">
        {note()}
      </span>
    </div>
  );

  function note(): string {
    if (isAsking) {
      return trans.__('Asking which runtimes there are…');
    }
    if (chosen !== undefined) {
      return plainText(chosen.note || chosen.description);
    }
    return runtimes.length > 0
      ? trans.__(
          'model.json names a runtime that is not known here; the kernel may not start.'
        )
      : trans.__('Which runtimes there are could not be learnt.');
  }
}

/** The runtimes of an environment; null as long as they are not known. */
function useRuntimes(
  client: IEdiClient,
  environment: string
): { list: RuntimeList | null; isAsking: boolean } {
  const [known, setKnown] = React.useState<{
    environment: string;
    list: RuntimeList | null;
  } | null>(null);
  React.useEffect(() => {
    const controller = new AbortController();
    const set = (list: RuntimeList | null): void => {
      if (!controller.signal.aborted) {
        setKnown({ environment, list });
      }
    };
    // Without a choice that of model.json is used; a deploy says what is wrong.
    client.runtimes(environment, controller.signal).then(set, () => set(null));
    return () => controller.abort();
  }, [client, environment]);
  return known?.environment === environment
    ? { list: known.list, isAsking: false }
    : { list: null, isAsking: true };
}

function label(runtime: RuntimeInfo, trans: TranslationBundle): string {
  const { title, type } = runtime;
  const isSame = title.toLowerCase() === type.toLowerCase();
  return plainText(isSame ? title : trans.__('%1 – %2', title, type));
}

/** The runtimes by who offers them, in this order; empty groups left out. */
function groups(
  runtimes: readonly RuntimeInfo[],
  trans: TranslationBundle
): [string, RuntimeInfo[]][] {
  const titles: [RuntimeInfo['source'], string, (r: RuntimeInfo) => boolean][] =
    [
      ['engine', trans.__('Serving engine'), ({ note }) => note === ''],
      ['kernelspec', trans.__('Notebook kernels of this server'), () => true],
      ['edi', trans.__('Offered by this EDI'), () => true],
      ['engine', trans.__('Names of WMLA'), ({ note }) => note !== '']
    ];
  return titles
    .map(([source, title, fits]): [string, RuntimeInfo[]] => [
      title,
      runtimes.filter(runtime => runtime.source === source && fits(runtime))
    ])
    .filter(([, members]) => members.length > 0);
}
