import fs from 'node:fs';
import path from 'node:path';

/** The command-line tools that the journeys run for real. */
export type CommandLine = 'claude' | 'codex';

const packages = path.join(path.dirname(import.meta.dirname), 'node_modules');

/** Where the packages of this platform keep their programs. */
const PROGRAMS: Readonly<Record<CommandLine, string>> = {
  claude: `@anthropic-ai/claude-code-${process.platform}-${process.arch}{,-musl}/claude`,
  codex: `@openai/codex-${process.platform}-${process.arch}/vendor/*/bin/codex`,
};

/** The pinned program itself, without the script that npm puts before it. Throws when it is not installed. */
export function pinnedProgram(cli: CommandLine): string {
  const [found] = fs.globSync(PROGRAMS[cli], { cwd: packages });
  if (found === undefined) throw new Error(`${cli} is not installed in test/real: run ./script/test real`);
  return path.join(packages, found);
}

/** The version that test/real/package.json pins. */
export function pinnedVersion(cli: CommandLine): string {
  const name = cli === 'claude' ? '@anthropic-ai/claude-code' : '@openai/codex';
  const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(
    fs.readFileSync(path.join(path.dirname(packages), 'package.json'), 'utf8'),
  );
  return dependencies[name] ?? '';
}
