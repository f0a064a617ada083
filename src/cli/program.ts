import { Command, Option } from 'commander';
import type { Context, GlobalFlags } from './context.ts';
import type { Outcome } from './outcome.ts';

/** Runs a command once its words and flags are known. */
type Perform = (work: (context: Context) => Promise<Outcome>) => Promise<void>;

const ABOUT = `The runtime for a team of coding agents.

Start here:  team-agent demo              scripted agents on a small real job
             team-agent quick-start DIR   your own team, from its documents`;

/**
 * Every command, in four groups; the folders of `commands/` are named after them. What a command needs is loaded when it
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
  messageCommands(program.commandsGroup('Messages:'), perform);
  lookingCommands(program.commandsGroup('Looking:'), perform);
  machineCommands(program.commandsGroup('Machine:'), perform);
  return program;
}

export function globalsOf(program: Command): GlobalFlags {
  return program.opts<GlobalFlags>();
}

const hidden = (flags: string): Option => new Option(flags).hideHelp();

function teamCommands(program: Command, perform: Perform): void {
  program
    .command('demo [folder]')
    .summary('a team of scripted agents surveys FOLDER')
    .description(
      'Runs a team of three scripted agents on a real job: they survey the source files of FOLDER (default: the current folder). Costs nothing, calls no model, leaves nothing behind.',
    )
    .option('--fast', 'without the pauses that let a person follow')
    .action((folder: string | undefined, flags) =>
      perform(async (context) => (await import('./commands/team/demo.ts')).run(context, folder, flags)),
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
      perform(async (context) =>
        (await import('./commands/team/quick-start.ts')).run(context, dir ? [dir] : [], flags),
      ),
    );
  const consents = (command: Command): Command =>
    command
      .option('--allow-fresh', 'give up a conversation that cannot be resumed')
      .option('--trust', "say yes to the agents' folders, where their CLIs do not trust them yet")
      .option('--yes', 'say yes to agents that never ask before they act');
  const agents = () => import('./commands/team/agents.ts');
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
      .action((flags) =>
        perform(async (context) => (await import('./commands/team/claim-leader.ts')).claim(context, name, flags)),
      );
  }
  program
    .command('attach-leader')
    .summary('make a conversation that runs elsewhere the leader')
    .option('--pane <pane>', 'the one in this pane of your tmux')
    .option('--provider <name>', 'of those that wait, the one of this CLI')
    .option('--confirm', 'take the lead from somebody who lives')
    .action((flags) =>
      perform(async (context) => (await import('./commands/team/claim-leader.ts')).attach(context, flags)),
    );
  program
    .command('shutdown')
    .summary('end the agents of the team')
    .description('Ends every agent of the team and keeps what each showed last. Messages, results and documents stay.')
    .addOption(hidden('--keep-logs'))
    .action(() => perform(async (context) => (await import('./commands/team/shutdown.ts')).run(context)));
}

function messageCommands(program: Command, perform: Perform): void {
  program
    .command('send [words...]')
    .usage('TO MESSAGE... [options]\n       team-agent send --to TO MESSAGE... [options]')
    .summary('send a message: send TO MESSAGE...')
    .description(
      "Sends a message. TO is an agent, a list `a,b`, everybody '*', `leader`, or `task:T` for whoever has task T; with --task T it may be left out. Returns when the message is stored; its delivery is proved later (`deliveries`).",
    )
    .option('--to <names>', 'for whom; then every word is text')
    .option('--task <task>', 'the task it is about')
    .option('--expects <what>', 'nothing, reply or result (default for an agent: result)')
    .option('--reply-to <message>', 'the message it answers')
    .option('--wait <what>', 'wait until it is consumed, or for its result')
    .option('--timeout <seconds>', 'with --wait: how long (default 30)')
    .option('--ttl <seconds>', 'give up when it was not delivered by then')
    .option('--at <time>', 'it goes at this time (ISO), not before')
    .option('--in <seconds>', 'it goes after so long')
    .option('--now', 'into a running turn, before what waits: an answer in the making may be cut off')
    .option('--confirm-human', 'a person says yes to the task it is about')
    .option('--stdin', 'read the text from standard input')
    .addOption(hidden('--from <id>'))
    .addOption(hidden('--no-wait'))
    .addOption(hidden('--no-ack'))
    .addOption(hidden('--watch-result'))
    .action((words: string[], { wait, ...flags }) =>
      // --no-wait sets the same name to false: it asks for what happens anyway
      perform(async (context) =>
        (await import('./commands/messages/send.ts')).run(context, words, {
          ...flags,
          ...(typeof wait === 'string' ? { wait } : {}),
        }),
      ),
    );
  program
    .command('cancel <message>')
    .summary('take back a message that was not read yet')
    .description(
      'Takes a message back from everybody who was not offered it yet. What may have been read stays as it is.',
    )
    .option('--to <names>', 'from these alone')
    .action((message: string, flags) =>
      perform(async (context) => (await import('./commands/messages/cancel.ts')).run(context, message, flags)),
    );
  program
    .command('wait')
    .summary('wait for a result, or until all are idle')
    .option('--task <task>', 'for the result of a task')
    .option('--agent <agent>', 'for the next result of an agent')
    .option('--message <id>', 'for the result that answers a message')
    .option('--idle', 'until every agent is idle')
    .option('--mail', "for the leader's next mail, and take it")
    .option('--timeout <seconds>', 'how long (default 600)')
    .action((flags) =>
      perform(async (context) => (await import('./commands/messages/wait.ts')).run(context, [], flags)),
    );
  program
    .command('repair-state')
    .summary('set right who has a task, and how it stands')
    .description('Sets a task right by hand. What it was before stays on record (`events`).')
    .requiredOption('--task <task>', 'which task')
    .option('--assignee <agent>', 'who has it now')
    .option(
      '--status <status>',
      'pending, ready, running, blocked, needs_retry, done, failed or cancelled; when it is done, what waited for it goes',
    )
    .option('--summary <text>', 'why, for the record')
    .action((flags) =>
      perform(async (context) => (await import('./commands/messages/repair-state.ts')).run(context, flags)),
    );
  program
    .command('inbox [member]')
    .summary('the mail of an agent or of the leader')
    .description('Shows the mail of an agent, or of the leader (the default). Looking changes nothing.')
    .option('--take', "take the leader's mail: it counts as read")
    .option('--limit <count>', 'the newest so many (default 20)')
    .option('--since <when>', 'from a sequence number or an ISO time on')
    .action((member: string | undefined, flags) =>
      perform(async (context) =>
        (await import('./commands/messages/inbox.ts')).run(context, member ? [member] : [], flags),
      ),
    );
  program
    .command('allow-peer-talk <a> <b>', { hidden: true })
    .summary('changes nothing: agents of a team may write to each other')
    .action((a: string, b: string) =>
      perform(async (context) => (await import('./commands/messages/allow-peer-talk.ts')).run(context, [a, b])),
    );
}

/** A result that is one: what help can show better than words. */
const VALIDATE = `Checks a result_envelope_v1. Every field has to be there, and no other:
  {"schema_version": "result_envelope_v1", "task_id": "T", "agent_id": "ann",
   "status": "success | blocked | failed | partial", "summary": "...",
   "changes": [{"path": "...", "description": "...",
                "kind": "created | modified | deleted | observed"}],
   "tests": [{"command": "...", "detail": "...",
              "status": "passed | failed | not_run | skipped"}],
   "risks": [{"severity": "low | medium | high", "description": "..."}],
   "artifacts": [{"path": "...", "description": "..."}],
   "next_actions": [{"description": "..."}]}
The lists may be empty, and a test may lack its detail; no text may be blank.`;

function lookingCommands(program: Command, perform: Perform): void {
  program
    .command('status [agent]')
    .summary('the team at a glance, or one agent')
    .option('--summary', 'five lines')
    .option('--detail', 'with --json: everything')
    .action((agent: string | undefined, flags) =>
      perform(async (context) =>
        (await import('./commands/looking/status.ts')).run(context, agent ? [agent] : [], flags),
      ),
    );
  program
    .command('sessions')
    .summary('the conversation that each agent would go on with')
    .action(() => perform(async (context) => (await import('./commands/looking/sessions.ts')).run(context)));
  program
    .command('leaders')
    .summary('who leads, and which conversations could')
    .action(() => perform(async (context) => (await import('./commands/looking/leaders.ts')).leaders(context)));
  program
    .command('identity')
    .summary('who you are to this team')
    .action(() => perform(async (context) => (await import('./commands/looking/leaders.ts')).identity(context)));
  program
    .command('results')
    .summary('what agents reported')
    .option('--agent <agent>', 'of one agent')
    .option('--task <task>', 'of one task')
    .option('--since <when>', 'from a sequence number or an ISO time on')
    .action((flags) =>
      perform(async (context) => (await import('./commands/looking/results.ts')).run(context, [], flags)),
    );
  program
    .command('collect')
    .summary('what was reported, and results from a file')
    .description(
      'Shows what was reported. Each result went into its task as it came, so there is nothing to be fetched; with a file, the results in it are taken in: good ones, whatever stands beside them.',
    )
    .option('--result-file <file>', 'JSON: one result_envelope_v1, or a list of them')
    .action((flags) => perform(async (context) => (await import('./commands/looking/collect.ts')).run(context, flags)));
  program
    .command('settle')
    .summary('how the team stands, kept as a file')
    .description('Tells in one line how the team stands, and keeps its whole status with all results below .team/run/.')
    .action(() => perform(async (context) => (await import('./commands/looking/collect.ts')).settle(context)));
  program
    .command('validate-result [json]')
    .summary('is this a result?')
    .description(VALIDATE)
    .option('--file <file>', 'where it stands (default: standard input)')
    .action((json: string | undefined, flags) =>
      perform(async (context) =>
        (await import('./commands/looking/validate-result.ts')).run(context, json === undefined ? [] : [json], flags),
      ),
    );
  program
    .command('deliveries [message]')
    .summary('what became of messages, with the proof')
    .option('--limit <count>', 'the newest so many (default 50)')
    .action((message: string | undefined, flags) =>
      perform(async (context) =>
        (await import('./commands/looking/deliveries.ts')).run(context, message ? [message] : [], flags),
      ),
    );
  program
    .command('approvals [agent]')
    .summary("what agents' CLIs ask for")
    .action((agent: string | undefined) =>
      perform(async (context) => (await import('./commands/looking/approvals.ts')).list(context, agent)),
    );
  program
    .command('approve <id>')
    .summary('say yes to what an agent asks for')
    .description('ID is the id of a question (see `approvals`), or the agent, when it asks for one thing only.')
    .option('--session', 'and to the same for the rest of its session')
    .action((id: string, flags) =>
      perform(async (context) => (await import('./commands/looking/approvals.ts')).approve(context, id, flags)),
    );
  program
    .command('deny <id>')
    .summary('say no to what an agent asks for')
    .option('--message <text>', 'what the agent is told')
    .action((id: string, flags) =>
      perform(async (context) => (await import('./commands/looking/approvals.ts')).deny(context, id, flags)),
    );
  program
    .command('events')
    .summary('everything that happened, in order')
    .option('--follow', 'go on as it happens, until Ctrl-C')
    .option('--since <when>', 'from a sequence number or an ISO time on')
    .option('--limit <count>', 'at most so many')
    .action((flags) =>
      perform(async (context) => (await import('./commands/looking/events.ts')).run(context, [], flags)),
    );
  program
    .command('why <agent>')
    .summary('why an agent is in the state it is in')
    .action((agent: string) =>
      perform(async (context) => (await import('./commands/looking/why.ts')).run(context, [agent])),
    );
}

function machineCommands(program: Command, perform: Perform): void {
  const coordinator = program
    .command('coordinator')
    .helpCommand(false)
    .summary('start, stop or look at the background process');
  const load = () => import('./commands/machine/coordinator.ts');
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
    .action(() => perform(async (context) => (await import('./commands/machine/ledger.ts')).dump(context)));
  program
    .command('mcp', { hidden: true })
    .summary('team tools over standard input and output')
    .action(() => perform(async (context) => (await import('./commands/machine/mcp.ts')).run(context)));
}
