import { defineConfig } from 'vitest/config';

/**
 * The shares of the suite: pure rules, the simulator, everything that needs real processes and tmux, and (only by
 * `./script/test real`) the journeys with real command-line tools.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'rules',
          include: ['test/rules/**/*.test.ts'],
          setupFiles: ['test/support/sandbox.ts'],
          // Some have a program of ours running, and wait out its own deadlines.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'simulator',
          include: ['test/simulator/**/*.test.ts'],
          setupFiles: ['test/support/sandbox.ts'],
          testTimeout: 600_000,
          // The two halves of the sweep at once, and beside nothing else: they only compute.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
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
      {
        test: {
          name: 'real',
          include: ['test/real/**/*.test.ts'],
          exclude: ['**/node_modules/**'],
          setupFiles: ['test/real/world/only-loopback.ts', 'test/support/sandbox.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          // Each file has command-line tools of 200 MB and more running: two at a time are what a small machine carries.
          maxWorkers: 2,
        },
      },
    ],
  },
});
