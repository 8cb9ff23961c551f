import * as React from 'react';

import type { IRow } from '../deployments/rows';
import { usePanel } from './context';
import { DeploymentRow } from './row';

/**
 * The list. One row is in the tab order; arrow keys, Home and End move it, so
 * that a long list is one stop for the Tab key.
 */
export function DeploymentRows(props: {
  rows: readonly IRow[];
  /** Whether they are the last known ones and not the present ones. */
  isStale: boolean;
}): JSX.Element {
  const { rows, isStale } = props;
  const { model, state, trans } = usePanel();
  const list = React.useRef<HTMLUListElement>(null);
  const current = model.row(model.selected)?.name ?? rows[0]?.name ?? null;

  const onKeyDown = (event: React.KeyboardEvent): void => {
    const toggles = [
      ...(list.current?.querySelectorAll<HTMLElement>('.edi-Row-toggle') ?? [])
    ];
    const index = toggles.indexOf(event.target as HTMLElement);
    const next = index < 0 ? null : target(event.key, index, toggles.length);
    if (next !== null) {
      event.preventDefault();
      toggles[next].focus();
    }
  };

  return (
    <ul
      ref={list}
      className={isStale ? 'edi-Rows edi-mod-stale' : 'edi-Rows'}
      aria-label={trans.__('Deployments')}
      onKeyDown={onKeyDown}
    >
      {rows.map(row => (
        <DeploymentRow
          key={row.name}
          row={row}
          isCurrent={row.name === current}
          isSelected={row.name === model.selected}
          isExpanded={row.name === state.expanded}
        />
      ))}
    </ul>
  );
}

function target(key: string, index: number, count: number): number | null {
  switch (key) {
    case 'ArrowDown':
      return Math.min(index + 1, count - 1);
    case 'ArrowUp':
      return Math.max(index - 1, 0);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}
