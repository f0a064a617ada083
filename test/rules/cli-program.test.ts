import { Command } from 'commander';
import { expect, test } from 'vitest';
import { buildProgram, GROUPS } from '../../src/cli/program.ts';

const nobody = (): Promise<void> => Promise.resolve();
const namesIn = (program: Command): string[] => program.commands.map((command) => command.name());

test.each(GROUPS)('A03 the group $title declares the commands that are said to be in it', ({ declare, names }) => {
  const program = new Command('team-agent');
  declare(program, nobody);
  expect(namesIn(program).sort()).toEqual([...names].sort());
});

test('A03 a command that is named is declared with its group alone, and anything else with all', () => {
  const all = namesIn(buildProgram(nobody));
  expect(all).toHaveLength(GROUPS.flatMap(({ names }) => names).length);
  for (const { names } of GROUPS) {
    for (const name of names) expect(namesIn(buildProgram(nobody, name)).sort()).toEqual([...names].sort());
  }
  for (const other of [undefined, 'stauts', '--help', '--']) {
    expect(namesIn(buildProgram(nobody, other))).toEqual(all);
  }
});

test.each([
  'restart .',
  'start-agent w --no-display',
  'reset-agent w --discard-session --no-display',
  'add-agent w --role-file w.md --no-display',
  'fork-agent w --as x --no-display',
])('A03 G02 %s is understood', async (words) => {
  let asked = 0;
  const program = buildProgram(async () => {
    asked += 1;
  });
  program.exitOverride();
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => undefined });
  await program.parseAsync(words.split(' '), { from: 'user' });
  expect(asked).toBe(1);
});
