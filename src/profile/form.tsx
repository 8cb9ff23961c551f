import * as React from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';

import { ErrorText } from '../panel/errors';
import { plainText } from '../panel/plainText';
import { stateWord } from '../panel/words';
import { AdvancedFields } from './advanced';
import { ProfileContext, useProfile } from './context';
import { ResourcesField } from './cpuAndMemory';
import { FieldRow } from './field';
import { type IField, type Section, SECTIONS } from './fields';
import { GpuField } from './gpu';
import type { ProfileModel } from './model';
import { Notices } from './notice';
import { FaultSummary } from './summary';
import { VariablesField } from './variables';
import { useSettle } from './useSettle';
import { WaitingProfile } from './waiting';
import { sectionTitle } from './words';

interface IProfileFormProps {
  model: ProfileModel;
  trans: TranslationBundle;
  /** Show what would change and ask whether to save it. */
  onReview: () => void;
  /** Ask whether to forget what waits for the next start. */
  onDiscardNext: () => void;
}

/** The profile of one deployment, to be looked at and edited. */
export function ProfileForm(props: IProfileFormProps): JSX.Element {
  const { model, trans, onReview, onDiscardNext } = props;
  const id = React.useId();
  const [settle, onPointerDown] = useSettle(model);
  const { look, work } = model;
  switch (look.kind) {
    case 'loading':
      return (
        <p className="edi-Profile-loading edi-Secondary" role="status">
          {trans.__('Reading the profile of %1…', model.name)}
        </p>
      );
    case 'error':
      return (
        <div className="edi-Error">
          <ErrorText error={look.error} trans={trans} />
          <button
            type="button"
            className="edi-Button"
            onClick={() => void model.retry()}
          >
            {trans.__('Try again')}
          </button>
        </div>
      );
    case 'ready': {
      const { sheet } = look;
      const isBusy = work === 'saving';
      const context = { model, sheet, trans, settle, isBusy, id };
      return (
        <ProfileContext.Provider value={context}>
          <form
            className="edi-Profile-form"
            aria-label={trans.__('Profile of %1', model.name)}
            noValidate
            onPointerDownCapture={onPointerDown}
            onSubmit={event => {
              event.preventDefault();
              if (model.isSavable && !isBusy) {
                onReview();
              }
            }}
          >
            <Bar />
            <div className="edi-Profile-scroll">
              <div className="edi-Profile-column">
                <Notices />
                <WaitingProfile onDiscard={onDiscardNext} />
                <FaultSummary />
                {SECTIONS.map(section => (
                  <SectionPart key={section} section={section} />
                ))}
              </div>
            </div>
          </form>
        </ProfileContext.Provider>
      );
    }
  }
}

function SectionPart(props: { section: Section }): JSX.Element | null {
  const { section } = props;
  const { id, sheet, trans } = useProfile();
  const fields = sheet.fields.filter(field => field.section === section);
  if (fields.length === 0) {
    return null;
  }
  if (section === 'advanced') {
    return <AdvancedFields fields={fields} />;
  }
  const heading = `${id}-${section}`;
  const inGrid = fields.filter(field => !WIDE.has(field.kind));
  return (
    <section className="edi-Profile-section" aria-labelledby={heading}>
      <h2 id={heading}>{sectionTitle(section, trans)}</h2>
      {fields
        .filter(field => WIDE.has(field.kind))
        .map(field => (
          <WideField key={field.path} field={field} />
        ))}
      {inGrid.length > 0 && (
        <div className="edi-Profile-grid">
          {inGrid.map(field => (
            <FieldRow key={field.path} field={field} />
          ))}
        </div>
      )}
    </section>
  );
}

/** The kinds of fields that take the whole width. */
const WIDE: ReadonlySet<IField['kind']> = new Set([
  'choice',
  'resources',
  'variables'
]);

function WideField(props: { field: IField }): JSX.Element {
  const { field } = props;
  switch (field.kind) {
    case 'resources':
      return <ResourcesField field={field} />;
    case 'variables':
      return <VariablesField field={field} />;
    default:
      return <GpuField field={field} />;
  }
}

/**
 * What this is about, how much has been edited, and what can be done with it.
 * It is on top, since notifications lie over the lower right corner.
 */
function Bar(): JSX.Element {
  const { model, sheet, trans, isBusy } = useProfile();
  const { look, row, work } = model;
  const isStarted = look.kind === 'ready' && look.view.started;
  const count = Object.keys(sheet.edits).length;
  // No `disabled`: a button that has the focus would lose it.
  const isUnedited = isBusy || count === 0;
  const isUnsavable = isBusy || !model.isSavable;
  const step = row?.job?.message;
  return (
    <div className="edi-Profile-bar">
      <div className="edi-Profile-title">
        <h1>{trans.__('Profile of %1', model.name)}</h1>
        <p className="edi-Secondary">
          {plainText(model.environmentTitle)}
          {row && ` · ${stateWord(row.state, trans)}`}
        </p>
      </div>
      <span className="edi-Profile-state" role="status">
        {work === 'saving' && (
          <>
            <span className="edi-Spinner" aria-hidden="true" />
            {step ? plainText(step) : trans.__('Saving…')}
          </>
        )}
        {work === 'comparing' && trans.__('Comparing…')}
        {work === 'none' &&
          (count === 0
            ? trans.__('No unsaved edits')
            : trans._n('%1 unsaved edit', '%1 unsaved edits', count))}
      </span>
      <button
        type="button"
        className="edi-Button"
        aria-disabled={isUnedited}
        onClick={() => {
          if (!isUnedited) {
            model.discard();
          }
        }}
      >
        {trans.__('Discard')}
      </button>
      <button
        type="submit"
        className="edi-Button jp-mod-styled jp-mod-accept"
        aria-disabled={isUnsavable}
      >
        {isStarted ? trans.__('Save and restart…') : trans.__('Save…')}
      </button>
    </div>
  );
}
