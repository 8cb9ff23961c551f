import type { TranslationBundle } from '@jupyterlab/translation';
import { checkIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { FindingInfo, Inspection, Severity } from '../api/wire';
import { plainText } from '../panel/plainText';
import { errorWords } from '../panel/words';
import { type IInspected, missingFiles } from './useInspection';

interface IFindingsProps {
  inspection: Inspection;
  inspected: IInspected;
  trans: TranslationBundle;
}

/** What the checks say about the folder, with a button wherever one can mend it. */
export function Findings(props: IFindingsProps): JSX.Element {
  const { inspection, inspected, trans } = props;
  const { isBusy, isChecking, fault, again } = inspected;
  const findings = bySeverity(inspection.findings);
  const errors = findings.filter(isError).length;
  const warnings = findings.length - errors;
  const list = React.useRef<HTMLUListElement>(null);
  const title = React.useRef<HTMLParagraphElement>(null);
  const keepFocus = useFocusOnNext(isBusy, list, title);
  const isNew = missingFiles(inspection).some(isModelJson);

  return (
    <section
      className="edi-Findings"
      data-severity={
        errors > 0 ? 'error' : findings.length > 0 ? 'warning' : ''
      }
      aria-label={trans.__('Checks')}
      aria-busy={isChecking}
    >
      <div className="edi-Findings-head">
        <p
          ref={title}
          className="edi-Findings-title"
          tabIndex={-1}
          role="status"
        >
          {findings.length === 0 && (
            <checkIcon.react
              className="edi-Findings-icon"
              tag="span"
              aria-hidden="true"
            />
          )}
          {summary(errors, warnings, isNew, trans)}
          {errors > 0 && warnings > 0 && (
            <span className="edi-Findings-more">
              {' · '}
              {trans._n('%1 warning', '%1 warnings', warnings)}
            </span>
          )}
        </p>
        <span className="edi-Findings-checking" role="status">
          {isChecking && (
            <>
              <span className="edi-Spinner" aria-hidden="true" />
              {trans.__('Checking…')}
            </>
          )}
        </span>
        <button
          type="button"
          className="edi-LinkButton"
          aria-disabled={isChecking}
          onClick={again}
        >
          {trans.__('Check again')}
        </button>
      </div>
      {isNew && <NewSubmission {...props} onCreate={() => keepFocus(0)} />}
      {fault && (
        <p className="edi-Findings-fault" role="alert">
          {sentence(errorWords(fault, trans))}
        </p>
      )}
      {findings.length > 0 && (
        <ul ref={list} aria-label={trans.__('Findings')}>
          {findings.map((finding, index) => (
            <FindingItem
              key={keyOf(finding, findings)}
              finding={finding}
              isChecking={isChecking}
              trans={trans}
              onFix={id => {
                keepFocus(index);
                inspected.fix(id);
              }}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

/** For a folder that is not a submission yet, what makes it one. */
function NewSubmission(
  props: IFindingsProps & { onCreate: () => void }
): JSX.Element {
  const { inspection, inspected, trans, onCreate } = props;
  const canCreate = missingFiles(inspection).some(({ fix }) => fix !== null);
  return (
    <div className="edi-Findings-new">
      <p>
        {trans.__(
          'A submission is a folder with a kernel file, a model.json that names it, and a README.md.'
        )}
      </p>
      {canCreate && (
        <button
          type="button"
          className="edi-Button"
          aria-disabled={inspected.isChecking}
          onClick={() => {
            if (!inspected.isChecking) {
              onCreate();
              inspected.createMissing();
            }
          }}
        >
          {trans.__('Create the missing files')}
        </button>
      )}
    </div>
  );
}

function FindingItem(props: {
  finding: FindingInfo;
  isChecking: boolean;
  trans: TranslationBundle;
  onFix: (id: string) => void;
}): JSX.Element {
  const { finding, isChecking, trans, onFix } = props;
  const { fix, hint, message, severity, why } = finding;
  const id = React.useId();
  const place = placeOf(finding);
  return (
    <li className="edi-Finding" data-severity={severity}>
      <p>
        <span className="edi-Finding-severity">
          {severityWord(severity, trans)}
        </span>{' '}
        {place && (
          <>
            <code className="edi-Finding-place">{plainText(place)}</code>{' '}
          </>
        )}
        <span id={id} className="edi-Finding-message">
          {plainText(message)}
        </span>
      </p>
      {why && <p className="edi-Finding-why">{plainText(why)}</p>}
      {fix ? (
        <p className="edi-Finding-fix">
          <button
            type="button"
            className="edi-Button edi-mod-small"
            aria-label={trans.__('Fix: %1', plainText(fix.title))}
            aria-describedby={id}
            aria-disabled={isChecking}
            onClick={() => {
              if (!isChecking) {
                onFix(fix.id);
              }
            }}
          >
            {trans.__('Fix')}
          </button>
          <span>
            {plainText(fix.title)}
            <span className="edi-Finding-effect">
              {plainText(fix.description)}
            </span>
          </span>
        </p>
      ) : (
        hint && <p className="edi-Finding-hint">{plainText(hint)}</p>
      )}
    </li>
  );
}

/**
 * Keep the focus where the person works: after a fix, on the button that has
 * come to the place of the one that was pressed, else on the result.
 */
function useFocusOnNext(
  isBusy: boolean,
  list: React.RefObject<HTMLElement>,
  title: React.RefObject<HTMLElement>
): (index: number) => void {
  const wanted = React.useRef<number | null>(null);
  React.useLayoutEffect(() => {
    const index = wanted.current;
    if (isBusy || index === null) {
      return;
    }
    wanted.current = null;
    const items = [...(list.current?.children ?? [])];
    const buttons = [...items.slice(index), ...items.slice(0, index).reverse()]
      .map(item => item.querySelector<HTMLElement>('button'))
      .filter(button => button !== null);
    (buttons[0] ?? title.current)?.focus();
  }, [isBusy, list, title]);
  return index => {
    wanted.current = index;
  };
}

function summary(
  errors: number,
  warnings: number,
  isNew: boolean,
  trans: TranslationBundle
): string {
  if (isNew) {
    return trans.__('Not a submission yet');
  }
  if (errors > 0) {
    return trans._n(
      '%1 problem to mend first; nothing has been sent',
      '%1 problems to mend first; nothing has been sent',
      errors
    );
  }
  return warnings > 0
    ? trans._n(
        '%1 warning; it can be deployed as it is',
        '%1 warnings; it can be deployed as it is',
        warnings
      )
    : trans.__('The checks have found nothing to mend.');
}

function severityWord(severity: Severity, trans: TranslationBundle): string {
  return severity === 'error' ? trans.__('Error') : trans.__('Warning');
}

/** Whether a finding stands in the way of a deploy. */
export function isError(finding: FindingInfo): boolean {
  return finding.severity === 'error';
}

function isModelJson(finding: FindingInfo): boolean {
  return finding.file === 'model.json';
}

/** Errors first; within each kind as the files are read. */
function bySeverity(findings: readonly FindingInfo[]): FindingInfo[] {
  return [
    ...findings.filter(isError),
    ...findings.filter(finding => !isError(finding))
  ];
}

/** `kernel.py:12:5`; without a line, the message itself names the file. */
function placeOf({ file, line, column }: FindingInfo): string {
  return line === null
    ? ''
    : [file, line, column].filter(part => part !== null).join(':');
}

/** Lines move when a fix changes the file; what is wrong there stays. */
function keyOf(finding: FindingInfo, findings: readonly FindingInfo[]): string {
  const text = `${finding.code} ${finding.file} ${finding.message}`;
  const twins = findings.filter(
    ({ code, file, message }) => `${code} ${file} ${message}` === text
  );
  return `${text} ${twins.indexOf(finding)}`;
}

function sentence(words: { message: string; hint: string | null }): string {
  return plainText([words.message, words.hint ?? ''].join(' ').trim());
}
