import { defineConfig } from 'vitest/config';

/** Three shares of the suite: pure rules, the simulator, and everything that needs real processes and tmux. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'rules', include: ['test/rules/**/*.test.ts'], setupFiles: ['test/support/sandbox.ts'] } },
      {
        test: {
          name: 'simulator',
          include: ['test/simulator/**/*.test.ts'],
          setupFiles: ['test/support/sandbox.ts'],
          testTimeout: 600_000,
        },
      },
      {
        test: {
          name: 'tmux',
          include: ['test/tmux/**/*.test.ts'],
          setupFiles: ['test/support/sandbox.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
