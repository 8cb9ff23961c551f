import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { Fault, Unused, useControl } from './field';
import { useProfile } from './context';
import type { IField } from './fields';

/** The GPU modes as tiles, each with one sentence. */
export function GpuField(props: { field: IField }): JSX.Element {
  const { field } = props;
  const { id, model, settle, sheet, trans } = useProfile();
  const { control, fault, faultId } = useControl(field.path, [
    `${id}-${field.path}-about`
  ]);
  const chosen = sheet.entry(field);
  return (
    <fieldset
      className="edi-Tiles"
      aria-describedby={control['aria-describedby']}
      disabled={control.disabled}
    >
      <legend className="edi-sr-only">{field.title}</legend>
      <div className="edi-Tiles-list">
        {field.choices.map(({ value, sentence }, index) => (
          <label
            key={value}
            className={
              value === chosen ? 'edi-Tile edi-mod-chosen' : 'edi-Tile'
            }
          >
            <input
              // Whoever jumps to the field comes to its first tile.
              id={index === 0 ? control.id : undefined}
              type="radio"
              name={control.id}
              value={value}
              checked={value === chosen}
              onChange={() => {
                model.edit(field.path, value);
                settle(field.path);
              }}
            />
            <span className="edi-Tile-title">{modeTitle(value, trans)}</span>
            <span className="edi-Tile-about">{sentence}</span>
          </label>
        ))}
      </div>
      <p id={`${id}-${field.path}-about`} className="edi-Secondary">
        {field.description} <Unused field={field} />
      </p>
      <Fault id={faultId} text={fault} />
    </fieldset>
  );
}

function modeTitle(mode: string, trans: TranslationBundle): string {
  switch (mode) {
    case 'no':
      return trans.__('No GPU');
    case 'shared':
      return trans.__('Shared GPU');
    case 'exclusive':
      return trans.__('Exclusive GPU');
    default:
      return mode;
  }
}
