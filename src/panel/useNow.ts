import * as React from 'react';

/** Milliseconds between two looks at the clock. */
const TICK = 15_000;

/** The time in milliseconds since the epoch, kept up to date while it shows. */
export function useNow(): number {
  const [now, setNow] = React.useState(Date.now);
  React.useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), TICK);
    return () => window.clearInterval(timer);
  }, []);
  return now;
}
