import fs from 'node:fs';
import path from 'node:path';

/** The sandbox of this test file. Throws outside one: a test never touches the machine's own folders. */
export function sandbox(): string {
  const root = process.env.TEAM_AGENT_SANDBOX;
  if (!root) throw new Error('this test runs outside a sandbox');
  return root;
}

/** A fresh folder inside the sandbox, by its real path. */
export function freshFolder(name: string): string {
  return fs.realpathSync(fs.mkdtempSync(path.join(sandbox(), 'tmp', `${name}-`)));
}
