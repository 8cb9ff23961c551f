import * as React from 'react';

import type { IRow, RowState } from '../deployments/rows';
import { usePanel } from './context';
import { stateWord } from './words';

/** Tells screen readers which deployments have changed their state. */
export function LiveRegion(props: { rows: readonly IRow[] }): JSX.Element {
  const { rows } = props;
  const { trans } = usePanel();
  const known = React.useRef<Map<string, RowState> | null>(null);
  const [news, setNews] = React.useState('');
  React.useEffect(() => {
    const before = known.current;
    known.current = new Map(
      rows.map(row => [`${row.environment}/${row.name}`, row.state])
    );
    if (before === null) {
      return;
    }
    const changed = rows.filter(
      row => before.get(`${row.environment}/${row.name}`) !== row.state
    );
    if (changed.length > 0 && before.size > 0) {
      setNews(
        changed
          .map(row => trans.__('%1: %2', row.name, stateWord(row.state, trans)))
          .join(', ')
      );
    }
  }, [rows, trans]);
  return (
    <div className="edi-sr-only" role="status" aria-live="polite">
      {news}
    </div>
  );
}
