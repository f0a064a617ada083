import fs from 'node:fs';
import { runCoordinator } from '../coordinator/index.ts';
import { mcpFront } from '../mcp/index.ts';

/** The descriptor on which a starter waits for one line: we listen, or we cannot. */
const READY_DESCRIPTOR = 3;

/** The coordinator's own process: puts the tool front above it and tells whoever started it. */
export function runDaemon(workspace: string): Promise<void> {
  return runCoordinator({
    workspace,
    environment: process.env,
    toolFront: mcpFront,
    ready: (said) => {
      tellStarter(JSON.stringify(said));
      if (!said.ok) process.exitCode = 1;
    },
  });
}

/** Nobody waits when a person runs the daemon by hand: then it is said on stdout. */
function tellStarter(line: string): void {
  try {
    fs.writeSync(READY_DESCRIPTOR, `${line}\n`);
    fs.closeSync(READY_DESCRIPTOR);
  } catch {
    process.stdout.write(`${line}\n`);
  }
}
