import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Where to write what came of the tests, as JSON; for programs that count. */
const report = process.env['IT_SOCKS_TEST_REPORT']

/**
 * Tests run on the sources: the export condition `it-socks-source` names them, so nothing needs to be built but the
 * command line, which tests start as a program: `support/build.ts` sees to that.
 */
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  resolve: { conditions: ['it-socks-source'] },
  ssr: { resolve: { conditions: ['it-socks-source'] } },
  test: {
    include: ['{packages/*,examples,bench}/test/**/*.test.ts', 'test/**/*.test.ts'],
    // Daemons start, keys are made, programs are built: on a busy machine that takes its time. No test waits for it.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    globalSetup: fileURLToPath(new URL('support/build.ts', import.meta.url)),
    typecheck: {
      enabled: true,
      include: ['packages/*/test/**/*.test-d.ts'],
      tsconfig: fileURLToPath(new URL('tsconfig.json', import.meta.url))
    }
  }
})
