// jsdom has no clipboard, which JupyterLab remarks at every import.
Object.defineProperty(navigator, 'clipboard', {
  configurable: true,
  value: { writeText: jest.fn(async () => undefined) }
});
