import * as React from 'react';

import type { ProfileModel } from './model';

/** Tells that the person has finished with the field at a path. */
export type Settle = (path: string) => void;

/**
 * Tell the model which fields are finished with, but never while a pointer is
 * down: a fault that shows up then moves what is being pressed, and the press
 * goes nowhere.
 *
 * @returns what fields call, and a handler for the form's `onPointerDownCapture`.
 */
export function useSettle(model: ProfileModel): [Settle, () => void] {
  const isDown = React.useRef(false);
  const waiting = React.useRef(new Set<string>());

  const settle = React.useCallback(
    (path: string): void => {
      if (isDown.current) {
        waiting.current.add(path);
      } else {
        model.settle(path);
      }
    },
    [model]
  );

  const onPointerDown = React.useCallback((): void => {
    isDown.current = true;
    const controller = new AbortController();
    const { signal } = controller;
    const release = (): void => {
      controller.abort();
      // Behind the click, which follows at once.
      window.setTimeout(() => {
        isDown.current = false;
        const paths = [...waiting.current];
        waiting.current.clear();
        paths.forEach(path => model.settle(path));
      });
    };
    // Lumino keeps some pointer events to itself on their way up.
    window.addEventListener('pointerup', release, { capture: true, signal });
    window.addEventListener('pointercancel', release, {
      capture: true,
      signal
    });
  }, [model]);

  return [settle, onPointerDown];
}
