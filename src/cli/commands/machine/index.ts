import type { Command } from 'commander';
import type { Perform } from '../declaring.ts';

export function machineCommands(program: Command, perform: Perform): void {
  const coordinator = program
    .command('coordinator')
    .helpCommand(false)
    .summary('start, stop or look at the background process');
  const load = () => import('./coordinator.ts');
  coordinator
    .command('start')
    .summary('make sure that it runs')
    .action(() => perform(async (context) => (await load()).start(context)));
  coordinator
    .command('stop')
    .summary('end it; agents live on')
    .option('--force', 'also when it does not answer')
    .action((flags) => perform(async (context) => (await load()).stop(context, flags)));
  coordinator
    .command('status')
    .summary('how it is')
    .action(() => perform(async (context) => (await load()).status(context)));
  coordinator.command('run', { hidden: true }).action(() => perform(async (context) => (await load()).run(context)));
  coordinator
    .command('ensure', { hidden: true })
    .action(() => perform(async (context) => (await load()).ensure(context)));
  const ledger = program.command('ledger').helpCommand(false).summary('look into the store');
  ledger
    .command('dump')
    .summary('every row that holds no secret')
    .action(() => perform(async (context) => (await import('./ledger.ts')).dump(context)));
  program
    .command('mcp', { hidden: true })
    .summary('team tools over standard input and output')
    .action(() => perform(async (context) => (await import('./mcp.ts')).run(context)));
}
