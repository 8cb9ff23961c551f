import { configure } from '@testing-library/react';

// A loaded machine may take seconds to draw; a condition that never comes still fails.
configure({ asyncUtilTimeout: 15_000 });

// jsdom has no clipboard, which JupyterLab remarks at every import.
Object.defineProperty(navigator, 'clipboard', {
  configurable: true,
  value: { writeText: jest.fn(async () => undefined) }
});
