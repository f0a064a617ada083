import { type Command, Option } from 'commander';
import { hidden, type Perform } from '../declaring.ts';

/** A command that can show what it would do. */
const dry = (command: Command): Command => command.option('--dry-run', 'show what would be done, and do nothing');

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
  const launches = (command: Command): Command =>
    command
      .option('--name <name>', 'the name of a team without TEAM.md')
      .option('--team-id <id>', 'the id under .team/ of a team without TEAM.md')
      .option('--fresh', 'begin new conversations, though the team has some')
      .option('--trust', "say yes to the agents' folders, where their CLIs do not trust them yet")
      .option('--yes', 'say yes to agents that never ask before they act');
  const launching = () => import('./launch.ts');
  dry(launches(program.command('quick-start [dir]')))
    .summary('start the team whose documents lie in DIR')
    .description(
      'Starts the team whose documents lie in DIR: TEAM.md and agents/*.md. Returns when every agent is ready.',
    )
    .action((dir: string | undefined, flags) =>
      perform(async (context) => (await launching()).run(context, 'quick-start', dir, flags)),
    );
  dry(launches(program.command('launch [spec]')))
    .summary('the same, of a spec file or a folder')
    .action((spec: string | undefined, flags) =>
      perform(async (context) => (await launching()).run(context, 'launch', spec, flags)),
    );
  dry(launches(program.command('start [dir]')))
    .summary('the same, of the folder that --team names')
    .action((dir: string | undefined, flags) =>
      perform(async (context) => (await launching()).run(context, 'start', dir, flags)),
    );
  launches(program.command('preflight [dir]'))
    .summary('could that team be started? every check, and nothing done')
    .action((dir: string | undefined, flags) =>
      perform(async (context) => (await launching()).preflight(context, dir, flags)),
    );
  program
    .command('wait-ready')
    .summary('wait until every agent takes input and has its team tools')
    .option('--timeout <seconds>', 'give up after so long (default: 120)')
    .action((flags) => perform(async (context) => (await import('./wait-ready.ts')).run(context, flags)));
  const consents = (command: Command): Command =>
    command
      .option('--allow-fresh', 'give up a conversation that cannot be resumed')
      .option('--trust', "say yes to the agents' folders, where their CLIs do not trust them yet")
      .option('--yes', 'say yes to agents that never ask before they act');
  const agents = () => import('./agents.ts');
  dry(consents(program.command('restart [workspace]')))
    .summary('start the team again, each agent on its conversation')
    .action((workspace: string | undefined, flags) =>
      perform(async (context) => (await agents()).restart(context, workspace, flags)),
    );
  dry(consents(program.command('start-agent <agent>')))
    .summary('start one agent on its conversation')
    .option('--force', 'end it first when it runs')
    .addOption(hidden('--no-display'))
    .action((agent: string, flags) => perform(async (context) => (await agents()).start(context, agent, flags)));
  dry(program.command('stop-agent <agent>'))
    .summary('end one agent; its conversation and its mail stay')
    .action((agent: string, flags) => perform(async (context) => (await agents()).stop(context, agent, flags)));
  dry(consents(program.command('reset-agent <agent>')))
    .summary('give up the conversation of an agent and start it anew')
    .option('--discard-session', 'yes, give it up')
    .addOption(hidden('--no-display'))
    .action((agent: string, flags) => perform(async (context) => (await agents()).reset(context, agent, flags)));
  const joins = (command: Command): Command =>
    command
      .option('--trust', "say yes to the agent's folder, where its CLI does not trust it yet")
      .option('--yes', 'say yes to an agent that never asks before it acts')
      .addOption(hidden('--no-display'));
  dry(joins(program.command('add-agent <agent>')))
    .summary('make the agent of a role document a member')
    .requiredOption('--role-file <file>', 'its role document; the team keeps a copy')
    .action((agent: string, flags) => perform(async (context) => (await agents()).add(context, agent, flags)));
  dry(joins(program.command('fork-agent <agent>')))
    .summary('a new member that knows what AGENT knows')
    .requiredOption('--as <id>', 'the id of the new member')
    .option('--label <role>', 'its role, when it is another one')
    .action((agent: string, flags) => perform(async (context) => (await agents()).fork(context, agent, flags)));
  dry(program.command('remove-agent <agent>'))
    .summary('make an agent no member any more')
    .option('--force', 'end it when it runs')
    .option('--from-spec', "though the team's own documents describe it, which stay as they are")
    .option('--confirm', 'yes, though the documents describe it')
    .action((agent: string, flags) => perform(async (context) => (await agents()).remove(context, agent, flags)));
  profileCommands(program.command('profile'), perform);
  for (const provider of ['claude', 'codex']) {
    program
      .command(`${provider} [args...]`)
      .summary(`start a ${provider} conversation that leads`)
      .description(
        `Starts ${provider} in this terminal (outside tmux: in a tmux session of its own) as the leader of this project's team. One that runs in such a session is shown again. Everything behind the command's name goes to ${provider}, word for word, but for --attach-session SESSION [--confirm] right behind it, which shows that tmux session instead.`,
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
  dry(program.command('shutdown'))
    .summary('end the agents of the team')
    .description('Ends every agent of the team and keeps what each showed last. Messages, results and documents stay.')
    .addOption(hidden('--keep-logs'))
    .action((flags) => perform(async (context) => (await import('./shutdown.ts')).run(context, flags)));
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
