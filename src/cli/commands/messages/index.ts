import type { Command } from 'commander';
import { hidden, type Perform } from '../declaring.ts';

export function messagesCommands(program: Command, perform: Perform): void {
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
        (await import('./send.ts')).run(context, words, {
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
      perform(async (context) => (await import('./cancel.ts')).run(context, message, flags)),
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
    .action((flags) => perform(async (context) => (await import('./wait.ts')).run(context, [], flags)));
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
    .action((flags) => perform(async (context) => (await import('./repair-state.ts')).run(context, flags)));
  program
    .command('inbox [member]')
    .summary('the mail of an agent or of the leader')
    .description('Shows the mail of an agent, or of the leader (the default). Looking changes nothing.')
    .option('--take', "take the leader's mail: it counts as read")
    .option(
      '--limit <count>',
      'so many at most: the newest (default 20), with --since or --take the first (--take: 1000)',
    )
    .option('--since <when>', 'from a sequence number or an ISO time on')
    .action((member: string | undefined, flags) =>
      perform(async (context) => (await import('./inbox.ts')).run(context, member ? [member] : [], flags)),
    );
  program
    .command('allow-peer-talk <a> <b>', { hidden: true })
    .summary('changes nothing: agents of a team may write to each other')
    .action((a: string, b: string) =>
      perform(async (context) => (await import('./allow-peer-talk.ts')).run(context, [a, b])),
    );
}
