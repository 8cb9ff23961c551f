import * as React from 'react';

import { useProfile } from './context';
import { Fault, Unused, useControl } from './field';
import type { IField } from './fields';
import {
  gigabytes,
  partFault,
  partOf,
  type ResourceKey,
  withPart
} from './resources';

/**
 * CPUs and memory as four boxes and as the text that EDI keeps. The text is
 * what is edited; the boxes show its parts and change them.
 */
export function ResourcesField(props: { field: IField }): JSX.Element {
  const { field } = props;
  const profile = useProfile();
  const { id, model, sheet, trans } = profile;
  const about = `${id}-${field.path}-about`;
  const { control, fault, faultId } = useControl(field.path, [about]);
  const text = String(sheet.entry(field));
  const mode = String(sheet.entryAt('kernel.gpu') ?? '');
  const counts = field.counts[mode] ?? [];
  const requestsCount = counts.includes('ncpus');
  const limitsCount = counts.includes('ncpus_limit');
  const set = (value: string): void => model.edit(field.path, value);
  const settle = (): void => profile.settle(field.path);
  const isOdd = fault !== null;
  return (
    <>
      <p id={about} className="edi-Secondary">
        {field.description}{' '}
        {trans.__(
          'With an exclusive GPU the requests count, with a shared one the limits; equal values are on the safe side.'
        )}{' '}
        {field.partsThatCount.includes('mem') &&
          trans.__(
            'This engine looks at the requested memory alone: the deployment is pending while the machine has less. The rest is stored.'
          )}
        <Unused field={field} />
      </p>
      <div className="edi-Resources">
        <span />
        <Head
          title={trans.__('Request')}
          doesCount={requestsCount}
          note={trans.__('counts with an exclusive GPU')}
        />
        <Head
          title={trans.__('Limit')}
          doesCount={limitsCount}
          note={trans.__('counts with a shared GPU')}
        />
        <span className="edi-Resources-name">{trans.__('CPUs')}</span>
        <Box
          label={trans.__('CPUs requested')}
          part="ncpus"
          {...{ field, text, set, settle, isOdd }}
        />
        <Box
          label={trans.__('CPU limit')}
          part="ncpus_limit"
          {...{ field, text, set, settle, isOdd }}
        />
        <span className="edi-Resources-name">{trans.__('Memory')}</span>
        <Box
          label={trans.__('Memory requested in MB')}
          part="mem"
          {...{ field, text, set, settle, isOdd }}
        />
        <Box
          label={trans.__('Memory limit in MB')}
          part="mem_limit"
          {...{ field, text, set, settle, isOdd }}
        />
      </div>
      <div className="edi-Profile-field">
        <label htmlFor={control.id}>{trans.__('As text')}</label>
        <input
          {...control}
          type="text"
          className="jp-mod-styled edi-Field-input edi-mod-code"
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={event => set(event.target.value)}
          onBlur={settle}
        />
        <Fault id={faultId} text={fault} />
      </div>
    </>
  );
}

function Head(props: {
  title: string;
  doesCount: boolean;
  note: string;
}): JSX.Element {
  return (
    <span className="edi-Resources-head">
      {props.title}
      {props.doesCount && <span className="edi-Chip">{props.note}</span>}
    </span>
  );
}

function Box(props: {
  field: IField;
  label: string;
  part: ResourceKey;
  text: string;
  /** Whether something about the text is wrong. */
  isOdd: boolean;
  set: (text: string) => void;
  settle: () => void;
}): JSX.Element {
  const { field, label, part, text, isOdd, set, settle } = props;
  const { id, isBusy, trans } = useProfile();
  const value = partOf(text, part);
  const fault = isOdd ? partFault(text, part, trans) : null;
  const isMemory = part.startsWith('mem');
  const box = `${id}-${field.path}-${part}`;
  const echo = isMemory ? gigabytes(value) : '';
  const described = [
    ...(echo ? [`${box}-echo`] : []),
    ...(fault === null ? [] : [`${box}-fault`])
  ];
  return (
    <div>
      <div className="edi-Profile-control">
        <input
          id={box}
          type="text"
          inputMode="decimal"
          className="jp-mod-styled edi-Field-input edi-mod-number"
          autoComplete="off"
          aria-label={label}
          aria-invalid={fault !== null}
          aria-describedby={described.join(' ') || undefined}
          disabled={isBusy}
          value={value}
          onChange={event => set(withPart(text, part, event.target.value))}
          onBlur={settle}
        />
        {isMemory && (
          <span id={`${box}-echo`} className="edi-Secondary">
            {trans.__('MB')}
            {echo && ` = ${echo}`}
          </span>
        )}
      </div>
      <Fault id={`${box}-fault`} text={fault} />
    </div>
  );
}
