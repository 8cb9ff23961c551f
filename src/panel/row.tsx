import * as React from 'react';

import type { IRow } from '../deployments/rows';
import { RowActions } from './actions';
import { usePanel } from './context';
import { Details } from './details';
import { JobProgress } from './progress';
import { gpuWord, rowSummary, stateWord } from './words';

interface IRowProps {
  row: IRow;
  /** Whether the row is the one in the tab order. */
  isCurrent: boolean;
  isSelected: boolean;
  isExpanded: boolean;
}

/** One deployment: state and name, its actions, and its details when open. */
export const DeploymentRow = React.memo((props: IRowProps) => {
  const { row, isCurrent, isSelected, isExpanded } = props;
  const { model, state, trans } = usePanel();
  const id = React.useId();
  const item = React.useRef<HTMLLIElement>(null);
  const toggle = React.useRef<HTMLButtonElement>(null);
  const summary = rowSummary(row, trans);
  const gpu = gpuWord(row.deployment?.gpu, trans);

  React.useEffect(() => {
    if (isExpanded && state.takeFocus(row.name, 'row')) {
      toggle.current?.focus();
    }
  });
  React.useEffect(() => {
    if (isExpanded) {
      // jsdom has no layout and so no scrolling.
      item.current?.scrollIntoView?.({ block: 'nearest' });
    }
  }, [isExpanded]);

  return (
    <li
      ref={item}
      className={isSelected ? 'edi-Row jp-mod-selected' : 'edi-Row'}
      data-state={row.state}
      onContextMenu={() => {
        model.selected = row.name;
      }}
    >
      <div className="edi-Row-head">
        <button
          ref={toggle}
          type="button"
          className="edi-Row-toggle"
          title={row.name}
          aria-expanded={isExpanded}
          aria-controls={isExpanded ? id : undefined}
          tabIndex={isCurrent ? 0 : -1}
          onFocus={() => {
            model.selected = row.name;
          }}
          onClick={() => {
            model.selected = row.name;
            state.expanded = isExpanded ? null : row.name;
          }}
        >
          <span className="edi-Dot" aria-hidden="true" />
          <span className="edi-Row-name">{row.name}</span>{' '}
          <span className="edi-Row-status">
            <span className="edi-Row-state">{stateWord(row.state, trans)}</span>
            {gpu && (
              <>
                {' '}
                <span className="edi-Chip">{gpu}</span>
              </>
            )}
            {summary && <span className="edi-Secondary"> · {summary}</span>}
          </span>
          {row.deployment?.profile_changed && (
            <span className="edi-Row-badge">
              {trans.__('Changes wait for restart')}
            </span>
          )}
        </button>
        <RowActions row={row} isCurrent={isCurrent} />
      </div>
      {row.job && <JobProgress job={row.job} />}
      {isExpanded && (
        <div id={id} className="edi-Row-details">
          <Details row={row} />
        </div>
      )}
    </li>
  );
});
DeploymentRow.displayName = 'DeploymentRow';
