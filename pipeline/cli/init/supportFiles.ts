/** What every project has besides its own code; written only where there is none yet.
 *  @param hasNodeTypes whether the compiler would find them; without it, naming them is an error */
export const supportFiles = (
  name: string,
  version: string,
  hasNodeTypes: boolean,
): Readonly<Record<string, string>> => ({
  'package.json': `${JSON.stringify(
    {
      name,
      private: true,
      type: 'module',
      scripts: { start: 'pipe run' },
      dependencies: { tickpipe: `^${version}` },
    },
    null,
    2,
  )}\n`,
  'tsconfig.json': `${JSON.stringify(
    {
      compilerOptions: {
        target: 'ES2023',
        lib: ['ES2023', 'DOM'],
        module: 'NodeNext',
        moduleResolution: 'NodeNext',
        strict: true,
        noUncheckedIndexedAccess: true,
        allowImportingTsExtensions: true,
        noEmit: true,
        skipLibCheck: true,
        ...(hasNodeTypes ? { types: ['node'] } : {}),
      },
      include: ['**/*.ts'],
    },
    null,
    2,
  )}\n`,
  '.gitignore': 'node_modules/\n.pipe/\n',
})
