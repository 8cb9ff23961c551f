import { addIcon, closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { useProfile } from './context';
import type { IVariable } from './entries';
import { Fault, Unused, useControl } from './field';
import type { IField } from './fields';

/** Environment variables, one line each. */
export function VariablesField(props: { field: IField }): JSX.Element {
  const { field } = props;
  const { id, isBusy, model, settle, sheet, trans } = useProfile();
  const about = `${id}-${field.path}-about`;
  const { control, fault, faultId } = useControl(field.path, [about]);
  const variables = sheet.entry(field) as readonly IVariable[];
  const list = React.useRef<HTMLUListElement>(null);
  const isAdded = React.useRef(false);

  React.useEffect(() => {
    if (isAdded.current) {
      isAdded.current = false;
      const inputs = list.current?.querySelectorAll<HTMLInputElement>(
        'li:last-child input'
      );
      inputs?.[0]?.focus();
    }
  }, [variables.length]);

  return (
    <>
      <p id={about} className="edi-Secondary">
        {field.description} <Unused field={field} />
      </p>
      {variables.length > 0 && (
        <ul ref={list} className="edi-Variables" aria-label={field.title}>
          {variables.map((variable, index) => (
            <Variable
              key={index}
              path={`${field.path}.${index}`}
              number={index + 1}
              variable={variable}
              onChange={next =>
                model.edit(
                  field.path,
                  variables.map((old, at) => (at === index ? next : old))
                )
              }
              onSettle={() => settle(field.path)}
              onRemove={() => {
                model.edit(
                  field.path,
                  variables.filter((_, at) => at !== index)
                );
                // The button goes away; the focus must not go with it.
                document.getElementById(control.id)?.focus();
              }}
            />
          ))}
        </ul>
      )}
      <Fault id={faultId} text={fault} />
      <button
        {...control}
        aria-invalid={undefined}
        type="button"
        className="edi-Button edi-mod-small edi-Profile-add"
        disabled={isBusy}
        onClick={() => {
          isAdded.current = true;
          model.edit(field.path, [...variables, { name: '', value: '' }]);
        }}
      >
        <addIcon.react tag="span" aria-hidden="true" />
        {trans.__('Add a variable')}
      </button>
    </>
  );
}

function Variable(props: {
  path: string;
  number: number;
  variable: IVariable;
  onChange: (next: IVariable) => void;
  onSettle: () => void;
  onRemove: () => void;
}): JSX.Element {
  const { path, number, variable, onChange, onSettle, onRemove } = props;
  const { isBusy, trans } = useProfile();
  const name = useControl(`${path}.name`);
  const value = useControl(`${path}.value`);
  const shared = {
    type: 'text',
    className: 'jp-mod-styled edi-Field-input edi-mod-code',
    autoComplete: 'off',
    spellCheck: false
  };
  return (
    <li>
      <input
        {...name.control}
        {...shared}
        aria-label={trans.__('Name of variable %1', number)}
        placeholder={trans.__('Name')}
        value={variable.name}
        onChange={event => onChange({ ...variable, name: event.target.value })}
        onBlur={onSettle}
      />
      <input
        {...value.control}
        {...shared}
        aria-label={trans.__('Value of variable %1', number)}
        placeholder={trans.__('Value')}
        value={variable.value}
        onChange={event => onChange({ ...variable, value: event.target.value })}
        onBlur={onSettle}
      />
      <button
        type="button"
        className="edi-IconButton"
        aria-label={trans.__('Remove variable %1', variable.name || number)}
        title={trans.__('Remove')}
        disabled={isBusy}
        onClick={onRemove}
      >
        <closeIcon.react tag="span" aria-hidden="true" />
      </button>
      <Fault id={name.faultId} text={name.fault} />
      <Fault id={value.faultId} text={value.fault} />
    </li>
  );
}
