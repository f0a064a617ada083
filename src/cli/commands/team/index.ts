import { type Command, Option } from 'commander';
import { hidden, type Perform } from '../declaring.ts';

export function teamCommands(program: Command, perform: Perform): void {
  program
    .command('demo [folder]')
    .summary('a team of scripted agents surveys FOLDER')
    .description(
      'Runs a team of three scripted agents on a real job: they survey the source files of FOLDER (default: the current folder). Costs nothing, calls no model, leaves nothing behind.',
    )
    .option('--fast', 'without the pauses that let a person follow')
    .action((folder: string | undefined, flags) =>
      perform(async (context) => (await import('./demo.ts')).run(context, folder, flags)),
    );
  program
    .command('quick-start [dir]')
    .summary('start the team whose documents lie in DIR')
    .description(
      'Starts the team whose documents lie in DIR: TEAM.md and agents/*.md. Returns when every agent is ready.',
    )
    .option('--name <name>', 'the name of a team without TEAM.md')
    .option('--team-id <id>', 'the id under .team/ of a team without TEAM.md')
    .option('--fresh', 'begin new conversations, though the team has some')
    .option('--trust', "say yes to the agents' folders, where their CLIs do not trust them yet")
    .option('--yes', 'say yes to agents that never ask before they act')
    .action((dir: string | undefined, flags) =>
      perform(async (context) => (await import('./quick-start.ts')).run(context, dir ? [dir] : [], flags)),
    );
  const consents = (command: Command): Command =>
    command
      .option('--allow-fresh', 'give up a conversation that cannot be resumed')
      .option('--trust', "say yes to the agents' folders, where their CLIs do not trust them yet")
      .option('--yes', 'say yes to agents that never ask before they act');
  const agents = () => import('./agents.ts');
  consents(program.command('restart'))
    .summary('start the team again, each agent on its conversation')
    .action((flags) => perform(async (context) => (await agents()).restart(context, flags)));
  consents(program.command('start-agent <agent>'))
    .summary('start one agent on its conversation')
    .option('--force', 'end it first when it runs')
    .action((agent: string, flags) => perform(async (context) => (await agents()).start(context, agent, flags)));
  program
    .command('stop-agent <agent>')
    .summary('end one agent; its conversation and its mail stay')
    .action((agent: string) => perform(async (context) => (await agents()).stop(context, agent)));
  consents(program.command('reset-agent <agent>'))
    .summary('give up the conversation of an agent and start it anew')
    .option('--discard-session', 'yes, give it up')
    .action((agent: string, flags) => perform(async (context) => (await agents()).reset(context, agent, flags)));
  profileCommands(program.command('profile'), perform);
  for (const provider of ['claude', 'codex']) {
    program
      .command(`${provider} [args...]`)
      .summary(`start a ${provider} conversation that leads`)
      .description(
        `Starts ${provider} in this terminal (outside tmux: in a tmux session of its own) as the leader of this project's team. Everything behind the command's name goes to ${provider}, word for word.`,
      )
      .helpOption('-h, --help', 'this text; with anything else it goes on')
      .action(() => undefined);
  }
  for (const [name, what] of [
    ['claim-leader', 'make this conversation the leader of the team'],
    ['takeover', 'the same, from a leader that lives: needs --confirm'],
  ] as const) {
    program
      .command(name)
      .summary(what)
      .option('--confirm', 'take the lead from somebody who lives')
      .addOption(name === 'claim-leader' ? new Option('--release', 'give the lead up instead') : hidden('--release'))
      .action((flags) => perform(async (context) => (await import('./claim-leader.ts')).claim(context, name, flags)));
  }
  program
    .command('attach-leader')
    .summary('make a conversation that runs elsewhere the leader')
    .option('--pane <pane>', 'the one in this pane of your tmux')
    .option('--provider <name>', 'of those that wait, the one of this CLI')
    .option('--confirm', 'take the lead from somebody who lives')
    .action((flags) => perform(async (context) => (await import('./claim-leader.ts')).attach(context, flags)));
  program
    .command('shutdown')
    .summary('end the agents of the team')
    .description('Ends every agent of the team and keeps what each showed last. Messages, results and documents stay.')
    .addOption(hidden('--keep-logs'))
    .action(() => perform(async (context) => (await import('./shutdown.ts')).run(context)));
}

function profileCommands(profile: Command, perform: Perform): void {
  const run = () => import('./profile.ts');
  profile
    .summary('credentials of the team, never printed')
    .description(
      'A credential profile is a file of a person: .team/TEAM/profiles/NAME.env, with a key for an official or a compatible API. Role documents name it. These commands never print what is secret in it.',
    );
  profile
    .command('init <name>')
    .summary('make a blank profile to be filled in')
    .option('--auth-mode <mode>', 'subscription, official_api or compatible_api')
    .action((name: string, flags) => perform(async (context) => (await run()).init(context, name, flags)));
  profile
    .command('show <name>')
    .summary('what stands in it, but for secrets')
    .action((name: string) => perform(async (context) => (await run()).show(context, name)));
  profile
    .command('doctor <name>')
    .summary('what it lacks')
    .option('--smoke', 'and what its endpoint answers to each agent that uses it: one small call')
    .action((name: string, flags) => perform(async (context) => (await run()).doctor(context, name, flags)));
}
