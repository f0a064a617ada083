import fs from 'node:fs';
import path from 'node:path';
import { CommanderError } from 'commander';
import { packageVersion } from '../kernel/installation.ts';
import { isRefusal, type Refusal, refuse } from '../kernel/reasons.ts';
import { printable } from '../kernel/text.ts';
import type { Context, GlobalFlags, Surroundings } from './context.ts';
import { usage } from './flags.ts';
import { type Launch, launchOf, placeOfName } from './launchers.ts';
import { exitCode, type Outcome, refused } from './outcome.ts';
import { buildProgram, globalsOf } from './program.ts';
import { lookOf } from './rendering/look.ts';
import { refusalLines } from './rendering/refusal.ts';
import { SEND_FORMS } from './sending.ts';
import { findWorkspace } from './workspace.ts';

/** Runs one command line and returns its exit code; `stays` for a process that goes on by itself. Never throws. */
export async function runCommand(argv: readonly string[], around: Surroundings): Promise<number | 'stays'> {
  let globals: GlobalFlags = { json: argv.includes('--json') };
  let ended: Outcome = { kind: 'written', exit: 0 };
  const launch = launchOf(argv);
  const program = buildProgram(async (work) => {
    globals = globalsOf(program);
    ended = await work({ ...around, globals });
  }, argv[placeOfName(argv)]);
  try {
    ended = launch ? await lead(program, launch, around) : ((await parse(program, argv, around)) ?? ended);
  } catch (error) {
    ended = refused(unexpected(error, { ...around, globals }));
  }
  print(ended, { ...around, globals });
  return ended.kind === 'written' && ended.stays ? 'stays' : exitCode(ended);
}

/** A launcher: the flags before its name are ours, everything behind it is its CLI's. */
async function lead(program: Program, launch: Launch, around: Surroundings): Promise<Outcome> {
  const { own, provider } = launch;
  const { unknown } = program.parseOptions([...own]);
  if (unknown.length > 0) {
    return refused(
      usage(`${unknown.join(' ')} is no option of team-agent. What is meant for ${provider} stands behind its name.`, [
        `team-agent ${provider} --help`,
      ]),
    );
  }
  const { run } = await import('./commands/team/lead.ts');
  return run({ ...around, globals: globalsOf(program) }, launch);
}

type Program = ReturnType<typeof buildProgram>;

/** What commander answers by itself: help, or a wrong use. undefined when a command ran. */
async function parse(
  program: Program,
  argv: readonly string[],
  { stdout }: Surroundings,
): Promise<Outcome | undefined> {
  quiet(program, (text) => stdout.write(text));
  try {
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync([...argv], { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (program.opts().version) return version(stdout);
    if (error.code === 'commander.helpDisplayed') return { kind: 'written', exit: 0 };
    return refused(wrongUse(program, error, argv));
  }
}

function version(stdout: Surroundings['stdout']): Outcome {
  stdout.write(`${packageVersion()}\n`);
  return { kind: 'written', exit: 0 };
}

/** Errors come to us, so that they are told in one way; help goes to standard output. */
function quiet(command: Program, writeOut: (text: string) => void): void {
  command.exitOverride().configureOutput({ writeOut, writeErr: () => undefined, outputError: () => undefined });
  for (const below of command.commands) quiet(below, writeOut);
}

function wrongUse(program: Program, error: CommanderError, argv: readonly string[]): Refusal {
  const command = program.commands.find((candidate) => argv.includes(candidate.name()));
  if (error.code === 'commander.help') {
    return usage(`${command?.name() ?? 'team-agent'} needs one of: ${names(command ?? program).join(', ')}.`, [
      helpOf(command),
    ]);
  }
  const message = error.message.replace(/^error: /, '').replace(/\n\(Did you mean (.*?)\??\)$/, '; did you mean $1?');
  const text = `${message.charAt(0).toUpperCase()}${message.slice(1)}`.replace(/([^.?])$/, '$1.');
  if (command?.name() === 'send')
    return usage(`${text} A text that begins with - stands behind --.`, [...SEND_FORMS, helpOf(command)]);
  return usage(text, [helpOf(command)]);
}

function helpOf(command: Program | undefined): string {
  return command ? `team-agent ${command.name()} --help` : 'team-agent --help';
}

function names(program: Program): string[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .map((command) => command.name());
}

function print(outcome: Outcome, { stdout, stderr, environment, globals }: Context): void {
  const now = Date.now();
  switch (outcome.kind) {
    case 'written':
      return;
    case 'answer': {
      const text = globals.json
        ? JSON.stringify(outcome.answer, null, 2)
        : outcome.lines(lookOf(stdout, environment, now)).join('\n');
      stdout.write(`${text}\n`);
      return;
    }
    case 'refused':
      if (globals.json) stdout.write(`${JSON.stringify(outcome.refusal, null, 2)}\n`);
      else stderr.write(`${refusalLines(outcome.refusal, lookOf(stdout, environment, now)).join('\n')}\n`);
      return;
    default:
      outcome satisfies never;
  }
}

/** A bug of ours: one line, and the trace where a team already keeps such things. Nothing is created for it. */
function unexpected(error: unknown, context: Context): Refusal {
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = error instanceof Error ? error.message : String(error);
  const file = keepTrace(trace, context);
  return refuse(
    'internal_error',
    `Something went wrong in team-agent itself: ${printable(message).split('\n', 1)[0]}`,
    {
      ...(file ? { evidence: { trace: file } } : {}),
      next: file ? [`cat ${file}`] : ['team-agent --version'],
    },
  );
}

function keepTrace(trace: string, context: Context): string | undefined {
  const workspace = findWorkspace(context, 'read');
  const run = isRefusal(workspace) ? undefined : path.join(workspace, '.team', 'run');
  if (run === undefined || !fs.existsSync(run)) return undefined;
  const file = path.join(run, `cli-error-${Date.now()}-${process.pid}.log`);
  try {
    fs.writeFileSync(file, `${trace}\n`, { mode: 0o600 });
    return file;
  } catch {
    return undefined; // a full or read-only disk: the line on the screen has to do
  }
}
