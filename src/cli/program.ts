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

/** The commands as `--help` shows them. Each group is declared in its folder of `commands/`. */
export const GROUPS: readonly {
  readonly title: string;
  readonly declare: (program: Command, perform: Perform) => void;
  readonly names: readonly string[];
}[] = [
  {
    title: 'Team:',
    declare: teamCommands,
    names: [
      ...['demo', 'quick-start', 'launch', 'start', 'preflight', 'wait-ready', 'restart', 'shutdown'],
      ...['start-agent', 'stop-agent', 'reset-agent', 'add-agent', 'fork-agent', 'remove-agent', 'profile'],
      ...['claude', 'codex', 'claim-leader', 'takeover', 'attach-leader'],
    ],
  },
  { title: 'Documents:', declare: documentsCommands, names: ['init', 'validate', 'compile', 'schema'] },
  {
    title: 'Messages:',
    declare: messagesCommands,
    names: ['send', 'cancel', 'wait', 'repair-state', 'inbox', 'allow-peer-talk'],
  },
  {
    title: 'Looking:',
    declare: lookingCommands,
    names: [
      ...['status', 'sessions', 'leaders', 'identity', 'results', 'collect', 'settle', 'validate-result'],
      ...['deliveries', 'approvals', 'approve', 'deny', 'events', 'why'],
    ],
  },
  { title: 'Machine:', declare: machineCommands, names: ['coordinator', 'ledger', 'mcp'] },
];

/**
 * Every command; or, when `named` is one, its group alone: to declare them all takes as long as to answer. What a command
 * needs is loaded when it runs.
 */
export function buildProgram(perform: Perform, named?: string): Command {
  const program = new Command('team-agent')
    .description(ABOUT)
    .option('--json', 'one JSON object on standard output')
    .option('--team <name>', 'which team, when a workspace has several')
    .option('--workspace <dir>', 'the project folder (default: the nearest one with .team/)')
    .option('-V, --version', 'the version')
    .configureHelp({ showGlobalOptions: true })
    .helpCommand(false);
  const of = GROUPS.filter(({ names }) => named !== undefined && names.includes(named));
  for (const { title, declare } of of.length > 0 ? of : GROUPS) declare(program.commandsGroup(title), perform);
  return program;
}

export function globalsOf(program: Command): GlobalFlags {
  return program.opts<GlobalFlags>();
}
