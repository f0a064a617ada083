import { Command } from 'commander';
import type { Perform } from './commands/declaring.ts';
import { documentsCommands } from './commands/documents/index.ts';
import { lookingCommands } from './commands/looking/index.ts';
import { machineCommands } from './commands/machine/index.ts';
import { messagesCommands } from './commands/messages/index.ts';
import { teamCommands } from './commands/team/index.ts';
import type { GlobalFlags } from './context.ts';

const ABOUT = `The runtime for a team of coding agents.

Start here:  team-agent demo              scripted agents on a small real job
             team-agent quick-start DIR   your own team, from its documents`;

/**
 * Every command, in five groups; each group is declared in its folder of `commands/`. What a command needs is loaded when it
 * runs: asking for help loads none of it.
 */
export function buildProgram(perform: Perform): Command {
  const program = new Command('team-agent')
    .description(ABOUT)
    .option('--json', 'one JSON object on standard output')
    .option('--team <name>', 'which team, when a workspace has several')
    .option('--workspace <dir>', 'the project folder (default: the nearest one with .team/)')
    .option('-V, --version', 'the version')
    .configureHelp({ showGlobalOptions: true })
    .helpCommand(false);
  teamCommands(program.commandsGroup('Team:'), perform);
  documentsCommands(program.commandsGroup('Documents:'), perform);
  messagesCommands(program.commandsGroup('Messages:'), perform);
  lookingCommands(program.commandsGroup('Looking:'), perform);
  machineCommands(program.commandsGroup('Machine:'), perform);
  return program;
}

export function globalsOf(program: Command): GlobalFlags {
  return program.opts<GlobalFlags>();
}
