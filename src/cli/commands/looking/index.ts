import type { Command } from 'commander';
import type { Perform } from '../declaring.ts';

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

export function lookingCommands(program: Command, perform: Perform): void {
  program
    .command('status [agent]')
    .summary('the team at a glance, or one agent')
    .option('--summary', 'five lines')
    .option('--detail', 'with --json: everything')
    .action((agent: string | undefined, flags) =>
      perform(async (context) => (await import('./status.ts')).run(context, agent ? [agent] : [], flags)),
    );
  program
    .command('sessions')
    .summary('the conversation that each agent would go on with')
    .action(() => perform(async (context) => (await import('./sessions.ts')).run(context)));
  program
    .command('leaders')
    .summary('who leads, and which conversations could')
    .action(() => perform(async (context) => (await import('./leaders.ts')).leaders(context)));
  program
    .command('identity')
    .summary('who you are to this team')
    .action(() => perform(async (context) => (await import('./leaders.ts')).identity(context)));
  program
    .command('results')
    .summary('what agents reported')
    .option('--agent <agent>', 'of one agent')
    .option('--task <task>', 'of one task')
    .option('--since <when>', 'from a sequence number or an ISO time on')
    .action((flags) => perform(async (context) => (await import('./results.ts')).run(context, [], flags)));
  program
    .command('collect')
    .summary('what was reported, and results from a file')
    .description(
      'Shows what was reported. Each result went into its task as it came, so there is nothing to be fetched; with a file, the results in it are taken in: good ones, whatever stands beside them.',
    )
    .option('--result-file <file>', 'JSON: one result_envelope_v1, or a list of them')
    .action((flags) => perform(async (context) => (await import('./collect.ts')).run(context, flags)));
  program
    .command('settle')
    .summary('how the team stands, kept as a file')
    .description('Tells in one line how the team stands, and keeps its whole status with all results below .team/run/.')
    .action(() => perform(async (context) => (await import('./collect.ts')).settle(context)));
  program
    .command('validate-result [json]')
    .summary('is this a result?')
    .description(VALIDATE)
    .option('--file <file>', 'where it stands (default: standard input)')
    .action((json: string | undefined, flags) =>
      perform(async (context) =>
        (await import('./validate-result.ts')).run(context, json === undefined ? [] : [json], flags),
      ),
    );
  program
    .command('deliveries [message]')
    .summary('what became of messages, with the proof')
    .option('--limit <count>', 'the newest so many (default 50)')
    .action((message: string | undefined, flags) =>
      perform(async (context) => (await import('./deliveries.ts')).run(context, message ? [message] : [], flags)),
    );
  program
    .command('approvals [agent]')
    .summary("what agents' CLIs ask for")
    .action((agent: string | undefined) =>
      perform(async (context) => (await import('./approvals.ts')).list(context, agent)),
    );
  program
    .command('approve <id>')
    .summary('say yes to what an agent asks for')
    .description('ID is the id of a question (see `approvals`), or the agent, when it asks for one thing only.')
    .option('--session', 'and to the same for the rest of its session')
    .action((id: string, flags) =>
      perform(async (context) => (await import('./approvals.ts')).approve(context, id, flags)),
    );
  program
    .command('deny <id>')
    .summary('say no to what an agent asks for')
    .option('--message <text>', 'what the agent is told')
    .action((id: string, flags) =>
      perform(async (context) => (await import('./approvals.ts')).deny(context, id, flags)),
    );
  program
    .command('events')
    .summary('everything that happened, in order')
    .option('--follow', 'go on as it happens, until Ctrl-C')
    .option('--since <when>', 'from a sequence number or an ISO time on')
    .option('--limit <count>', 'at most so many')
    .action((flags) => perform(async (context) => (await import('./events.ts')).run(context, [], flags)));
  program
    .command('why <agent>')
    .summary('why an agent is in the state it is in')
    .action((agent: string) => perform(async (context) => (await import('./why.ts')).run(context, [agent])));
}
