import js from '@eslint/js'
import tseslint from 'typescript-eslint'

// The floors of the house, from the cellar up. A floor imports only from those before it; bench and test stand at the
// side and are imported by nothing.
const floors = ['tensor', 'kernels', 'nn', 'models', 'train', 'pipeline']
const sides = ['bench', 'test']

const floorRule = floor => {
  const above = [...floors.slice(floors.indexOf(floor) + 1), ...sides]
  return {
    files: [`${floor}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: `^(\\.\\./)+(${above.join('|')})/`,
              message: `${floor}/ may not import from a floor above it (see CONTRIBUTING.md).`,
            },
          ],
        },
      ],
    },
  }
}

// WebGPU types stay on the two lowest floors: from nn/ up, code sees Tensors and functions only.
const noGpuAbove = {
  files: ['nn', 'models', 'train', 'pipeline'].map(floor => `${floor}/**/*.ts`),
  rules: {
    'no-restricted-globals': [
      'error',
      ...['GPU', 'GPUDevice', 'GPUAdapter', 'GPUBuffer', 'GPUBufferUsage', 'navigator'].map(name => ({
        name,
        message: 'WebGPU stays in tensor/ and kernels/.',
      })),
    ],
    'no-restricted-syntax': [
      'error',
      { selector: 'TSTypeReference > Identifier[name=/^GPU/]', message: 'WebGPU stays in tensor/ and kernels/.' },
    ],
  },
}

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'out/', '.cache/', '**/*.generated.ts', '**/*.as.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreUsingDeclarations: true }],
      'max-lines': ['error', { max: 500 }],
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: Object.fromEntries(
        ['process', 'console', 'URL', 'Buffer', 'WebAssembly'].map(name => [name, 'readonly']),
      ),
    },
  },
  ...floors.map(floorRule),
  noGpuAbove,
)
