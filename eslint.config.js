// @ts-check
import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

// Cycles of imports, files to a folder, and which folder may import which are tests: `test/architecture`.

/** Lines of code to a file: blank lines and comments are not counted. */
const lines = (/** @type {number} */ max) =>
  /** @type {const} */ ({ 'max-lines': ['error', { max, skipBlankLines: true, skipComments: true }] });

const source = ['*.ts', '{grammar,compiler,models,runtime,apps}/**/*.ts'];

export default defineConfig(
  { ignores: ['dist/', 'cli/main.ts', 'node_modules/', 'coverage/', '.cache/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      // Braces are for several statements.
      curly: ['error', 'multi'],
      'no-restricted-syntax': [
        'error',
        { selector: '[accessibility]', message: 'Members are public without a word, or #private.' },
        {
          selector: 'TemplateLiteral > CallExpression[callee.name="String"]',
          message: 'Templates print numbers as they are.',
        },
      ],
      // Sizes, shapes and field elements are printed everywhere.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      // Devices are asynchronous by contract, also where an implementation computes at once.
      '@typescript-eslint/require-await': 'off',
      // The project's objects are made of closures, not of methods with a `this`.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: [...source, 'test/kit/**/*.ts'],
    rules: {
      '@typescript-eslint/naming-convention': [
        'error',
        { selector: 'typeLike', format: ['PascalCase'] },
        // A number or a text that holds for a whole file. Objects, lists and functions are named as values are.
        {
          selector: 'variable',
          modifiers: ['const', 'global'],
          types: ['number', 'string'],
          format: ['UPPER_CASE'],
          custom: { regex: '^(MOST|LEAST)_', match: false },
        },
      ],
    },
  },
  // Functions have no limit of their own: one that returns an object of closures is as long as that object.
  { files: source, rules: { ...lines(300), 'max-depth': ['error', 4] } },
  { files: ['test/**/*.ts'], rules: lines(350) },
  {
    files: [
      // A rule of the grammar after another, in the order of zkl.ebnf, and the nodes that they make.
      'grammar/parse/parser.ts',
      'grammar/ast.ts',
      // A command after another.
      'apps/command/parse/commands.ts',
      // A type of a gadget program after another: what is not checked shows beside what is.
      'compiler/bundle/read.ts',
      // Written by a program.
      'compiler/standard/texts.ts',
      // A case after another.
      'test/models/import-model.test.ts',
      'test/library/errors.test.ts',
      'test/runtime/device/sumcheck.test.ts',
    ],
    rules: { 'max-lines': 'off' },
  },
  { files: ['apps/command/**', 'examples/**', 'test/**'], rules: { 'no-console': 'off' } },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { require: 'readonly', module: 'readonly', process: 'readonly', __dirname: 'readonly' },
    },
  },
);
