import * as React from 'react';

import { plainText } from '../panel/plainText';
import { useProfile } from './context';
import { fieldOf } from './words';

/** How many fields need attention, with a way to each. */
export function FaultSummary(): JSX.Element | null {
  const { id, model, sheet, trans } = useProfile();
  const { attempts, faults, needsAttention } = model;
  const first = React.useRef<HTMLButtonElement>(null);
  React.useEffect(() => {
    if (attempts > 0) {
      first.current?.focus();
    }
  }, [attempts]);
  if (!needsAttention) {
    return null;
  }
  return (
    <div className="edi-Notice edi-mod-bad edi-Profile-summary" role="alert">
      <p className="edi-Profile-summaryTitle">
        {trans._n(
          '%1 field needs attention; nothing has been saved',
          '%1 fields need attention; nothing has been saved',
          faults.size
        )}
      </p>
      <ul>
        {[...faults].map(([path, message], index) => {
          const field = fieldOf(path, sheet.fields);
          const title = field?.title ?? path;
          return (
            <li key={path}>
              {field && field.kind !== 'fact' ? (
                <button
                  ref={index === 0 ? first : undefined}
                  type="button"
                  className="edi-LinkButton"
                  onClick={() => goTo(id, path, field.path)}
                >
                  {title}
                </button>
              ) : (
                <code>{plainText(title)}</code>
              )}
              {': '}
              {plainText(message)}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** Show the control of a path, or that of its field, and give it the focus. */
function goTo(id: string, path: string, field: string): void {
  const control =
    document.getElementById(`${id}-${path}`) ??
    document.getElementById(`${id}-${field}`);
  for (
    let folded = control?.closest<HTMLDetailsElement>('details:not([open])');
    folded;
    folded = folded.closest<HTMLDetailsElement>('details:not([open])')
  ) {
    folded.open = true;
  }
  // jsdom has no layout and so no scrolling.
  control?.scrollIntoView?.({ block: 'center' });
  control?.focus({ preventScroll: true });
}
