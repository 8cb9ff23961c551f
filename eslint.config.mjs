import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import prettierRecommended from 'eslint-plugin-prettier/recommended';
import globals from 'globals';
import jupyterPlugin from '@jupyter/eslint-plugin';

/** The rules of a configuration, each raised to an error. */
function asErrors(config) {
  const rules = Object.entries(config.rules ?? {}).map(([name, value]) => {
    const [severity, ...options] = Array.isArray(value) ? value : [value];
    const off = severity === 'off' || severity === 0;
    return [name, off ? 'off' : ['error', ...options]];
  });
  return { ...config, rules: Object.fromEntries(rules) };
}

const jupyter = [
  { plugins: { jupyter: jupyterPlugin } },
  ...[jupyterPlugin.configs.recommended].flat().map(asErrors)
];

export default defineConfig([
  {
    ignores: [
      '**/node_modules',
      'coverage',
      'lib',
      '.venv',
      'edi_labext',
      'ui-tests/.runs',
      'ui-tests/test-results',
      'ui-tests/playwright-report',
      '**/*.js',
      '**/*.d.ts'
    ]
  },
  js.configs.recommended,
  tseslint.configs.recommended,
  ...jupyter,
  {
    files: ['src/**/*.ts', 'src/**/*.tsx'],
    languageOptions: {
      globals: { ...globals.browser },
      parserOptions: { project: 'tsconfig.test.json', sourceType: 'module' }
    },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_' }
      ],
      '@typescript-eslint/naming-convention': [
        'error',
        {
          selector: 'interface',
          format: ['PascalCase'],
          custom: { regex: '^I[A-Z]', match: true }
        }
      ],
      // Options of a class stand beside it.
      '@typescript-eslint/no-namespace': 'off',
      curly: ['error', 'all'],
      eqeqeq: 'error',
      'prefer-arrow-callback': 'error'
    }
  },
  {
    // What registers commands and the empty panel is small and needed at once; the list, the
    // dialog and the explanation of errors are loaded when they are first shown.
    files: ['src/index.ts'],
    rules: {
      'jupyter/prefer-lazy-imports': [
        'error',
        {
          ignoreImports: [
            './api/client',
            './commands/*',
            './deployments/model',
            './panel/widget'
          ]
        }
      ]
    }
  },
  {
    // The words of a mocked server are no words of ours.
    files: ['ui-tests/**/*.ts', 'src/**/__tests__/**'],
    rules: { 'jupyter/no-untranslated-string': 'off' }
  },
  {
    // Generated from the Python models, whose classes have no leading I.
    files: ['src/_schema.ts'],
    rules: {
      '@typescript-eslint/naming-convention': 'off',
      'prettier/prettier': 'off'
    }
  },
  prettierRecommended,
  { files: ['src/_schema.ts'], rules: { 'prettier/prettier': 'off' } }
]);
