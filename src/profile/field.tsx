import * as React from 'react';

import { plainText } from '../panel/plainText';
import { useProfile } from './context';
import type { IField } from './fields';
import { numberIn } from './entries';

/** What a control needs to be understood by everybody. */
export interface IControlProps {
  id: string;
  disabled: boolean;
  'aria-invalid': boolean;
  'aria-describedby': string | undefined;
}

/** The id of the control of a path, and those of what describes it. */
export function useControl(
  path: string,
  hints: readonly string[] = []
): {
  control: IControlProps;
  fault: string | null;
  faultId: string;
} {
  const { id, isBusy, model } = useProfile();
  const fault = model.faults.get(path) ?? null;
  const faultId = `${id}-${path}-fault`;
  const described = [...hints, ...(fault === null ? [] : [faultId])];
  return {
    control: {
      id: `${id}-${path}`,
      disabled: isBusy,
      'aria-invalid': fault !== null,
      'aria-describedby': described.join(' ') || undefined
    },
    fault,
    faultId
  };
}

/** What is wrong, under the control. */
export function Fault(props: {
  id: string;
  text: string | null;
}): JSX.Element | null {
  return props.text === null ? null : (
    <p id={props.id} className="edi-Profile-fault">
      {plainText(props.text)}
    </p>
  );
}

/** Says of a field that this EDI keeps it and does nothing with it. */
export function Unused(props: {
  field: IField;
  id?: string;
}): JSX.Element | null {
  const { trans } = useProfile();
  return props.field.isHonoured ? null : (
    <span id={props.id} className="edi-Chip edi-mod-quiet">
      {trans.__('stored, not used by this engine')}
    </span>
  );
}

/** A field with the control that its kind needs. */
export function FieldRow(props: { field: IField }): JSX.Element {
  const { field } = props;
  switch (field.kind) {
    case 'whole':
    case 'number':
      return <NumberField field={field} />;
    case 'flag':
      return <FlagField field={field} />;
    default:
      return <TextField field={field} />;
  }
}

/** Label, control, explanation and fault of one field. */
function FieldFrame(props: {
  field: IField;
  children: (control: IControlProps) => React.ReactNode;
  /** What else is to be said under the control. */
  note?: string | null;
}): JSX.Element {
  const { field, children, note } = props;
  const { id } = useProfile();
  const about = `${id}-${field.path}-about`;
  const unused = `${id}-${field.path}-unused`;
  const hints = [
    ...(field.description || note ? [about] : []),
    ...(field.isHonoured ? [] : [unused])
  ];
  const { control, fault, faultId } = useControl(field.path, hints);
  return (
    <div className="edi-Profile-field">
      <div className="edi-Profile-label">
        <label htmlFor={control.id}>{field.title}</label>
        <Unused field={field} id={unused} />
      </div>
      {children(control)}
      <Fault id={faultId} text={fault} />
      {(field.description || note) && (
        <p id={about} className="edi-Secondary">
          {field.description}
          {note && (
            <>
              {' '}
              <span className="edi-Profile-warning">{note}</span>
            </>
          )}
        </p>
      )}
    </div>
  );
}

function TextField(props: { field: IField }): JSX.Element {
  const { field } = props;
  const { model, settle, sheet } = useProfile();
  return (
    <FieldFrame field={field}>
      {control => (
        <input
          {...control}
          type="text"
          className="jp-mod-styled edi-Field-input"
          autoComplete="off"
          spellCheck={false}
          value={String(sheet.entry(field))}
          onChange={event => model.edit(field.path, event.target.value)}
          onBlur={() => settle(field.path)}
        />
      )}
    </FieldFrame>
  );
}

/** A number with its unit and, where there is one, its "no limit". */
function NumberField(props: { field: IField }): JSX.Element {
  const { field } = props;
  const { model, settle, sheet, trans } = useProfile();
  const entry = sheet.entry(field);
  const { unlimited } = field;
  const isUnlimited = unlimited !== null && numberIn(entry) === unlimited;
  const last = React.useRef(isUnlimited ? null : String(entry));
  return (
    <FieldFrame field={field} note={useWarning(field)}>
      {control => (
        <div className="edi-Profile-control">
          <input
            {...control}
            type="number"
            className="jp-mod-styled edi-Field-input edi-mod-number"
            // The step would refuse what is typed; the schema decides.
            step={field.kind === 'whole' ? 1 : 'any'}
            min={unlimited === null ? (field.minimum ?? undefined) : 1}
            max={field.maximum ?? undefined}
            disabled={control.disabled || isUnlimited}
            value={isUnlimited ? '' : String(entry)}
            placeholder={isUnlimited ? '∞' : undefined}
            onChange={event => {
              last.current = event.target.value;
              model.edit(field.path, event.target.value);
            }}
            onBlur={() => settle(field.path)}
          />
          {field.unit && <span className="edi-Secondary">{field.unit}</span>}
          {unlimited !== null && (
            <label className="edi-Check">
              <input
                type="checkbox"
                disabled={control.disabled}
                checked={isUnlimited}
                aria-label={trans.__('%1: no limit', field.title)}
                onChange={event => {
                  const finite = last.current || finiteOf(field);
                  const next = event.target.checked ? unlimited : finite;
                  model.edit(field.path, String(next));
                  settle(field.path);
                }}
              />
              {trans.__('No limit')}
            </label>
          )}
        </div>
      )}
    </FieldFrame>
  );
}

function FlagField(props: { field: IField }): JSX.Element {
  const { field } = props;
  const { model, settle, sheet } = useProfile();
  return (
    <FieldFrame field={field}>
      {control => (
        <input
          {...control}
          type="checkbox"
          checked={sheet.entry(field) === true}
          onChange={event => {
            model.edit(field.path, event.target.checked);
            settle(field.path);
          }}
        />
      )}
    </FieldFrame>
  );
}

/** A number to begin with when the limit is wanted again. */
function finiteOf(field: IField): number {
  const { fallback, unlimited } = field;
  return typeof fallback === 'number' && fallback !== unlimited ? fallback : 1;
}

/** What is allowed, but worth a thought. */
function useWarning(field: IField): string | null {
  const { sheet, trans } = useProfile();
  return field.path === 'policy.kernel_min' &&
    numberIn(sheet.entry(field)) === 0
    ? trans.__('No kernel runs ahead of time: the first request waits for one.')
    : null;
}
