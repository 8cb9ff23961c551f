const jestJupyterLab = require('@jupyterlab/testutils/lib/jest-config');

// Packages that ship untranspiled ES modules.
const esModules = [
  '@codemirror',
  '@jupyter/(ydoc|react-components|web-components)',
  '@jupyterlab/',
  '@microsoft/fast-',
  'exenv-es6',
  'lib0',
  'nanoid',
  'vscode-ws-jsonrpc',
  'y-protocols',
  'y-websocket',
  'yjs'
].join('|');

const base = jestJupyterLab(__dirname);

module.exports = {
  ...base,
  automock: false,
  clearMocks: true,
  collectCoverageFrom: [
    'src/**/*.{ts,tsx}',
    '!src/**/*.d.ts',
    '!src/_schema.ts',
    '!src/**/__tests__/**'
  ],
  coverageReporters: ['text-summary', 'lcov'],
  // The built labextension has a package.json of the same name.
  modulePathIgnorePatterns: [
    '<rootDir>/edi_labext/labextension',
    '<rootDir>/lib/',
    '<rootDir>/.venv/'
  ],
  setupFilesAfterEnv: [
    ...(base.setupFilesAfterEnv ?? []),
    '<rootDir>/src/__tests__/setup.ts'
  ],
  // Ends a test that hangs; no test measures time.
  testTimeout: 60_000,
  testPathIgnorePatterns: ['/node_modules/', '/ui-tests/', '/lib/', '/.venv/'],
  testRegex: 'src/.*/__tests__/.*\\.spec\\.tsx?$',
  transformIgnorePatterns: [`/node_modules/(?!${esModules}).+`]
};
