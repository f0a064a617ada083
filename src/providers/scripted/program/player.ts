import { setTimeout as pause } from 'node:timers/promises';
import { firstLine } from '../../../kernel/index.ts';
import { shellWord } from '../../../kernel/text.ts';
import type { DialogKind } from '../dialogs.ts';
import type { Message } from './message.ts';
import { chooseRule, fillIn, fillInAll, type Script, type Step, type ToolArguments } from './script.ts';
import type { ToolOutcome } from './team-tools.ts';

/** What steps act on. */
export interface Stage {
  say(text: string): void;
  call(tool: 'send_message' | 'report_result', args: ToolArguments, signal: AbortSignal): Promise<ToolOutcome>;
  ask(kind: DialogKind, text: string, signal: AbortSignal): Promise<'approve' | 'deny'>;
  draft(text: string): void;
  ignoreKeys(ms: number): void;
  flood(lines: number, signal: AbortSignal): Promise<void>;
  run(command: string, message: Message | undefined, signal: AbortSignal): Promise<Ran>;
  crash(signal: NodeJS.Signals): void;
  exit(code: number): void;
}

export interface Ran {
  readonly output: string;
  readonly code: number;
}

/** Where the agent lives, for the templates `{{node}}`, `{{workspace}}` and `{{folder}}`. */
export interface Place {
  readonly node: string;
  readonly workspace: string;
  readonly folder: string;
}

/** Plays a script. Variables and the counts of rules last as long as the process. */
export class Player {
  readonly #script: Script;
  readonly #stage: Stage;
  readonly #place: Place;
  readonly #variables = new Map<string, string>();
  readonly #used: number[] = [];

  constructor(script: Script, stage: Stage, place: Place) {
    this.#script = script;
    this.#stage = stage;
    this.#place = place;
  }

  async playStart(steps: readonly Step[], signal: AbortSignal): Promise<void> {
    await this.#playAll(steps, undefined, [], signal);
  }

  async playMessage(message: Message, signal: AbortSignal): Promise<void> {
    const chosen = chooseRule(this.#script.rules, this.#used, message);
    if (chosen) {
      this.#used[chosen.index] = (this.#used[chosen.index] ?? 0) + 1;
      await this.#playAll(chosen.rule.steps, message, chosen.groups, signal);
    } else if (this.#script.otherwise) {
      await this.#playAll(this.#script.otherwise, message, [], signal);
    } else {
      await this.#withoutScript(message, signal);
    }
  }

  /** Reports or replies when that is expected, else echoes. */
  async #withoutScript(message: Message, signal: AbortSignal): Promise<void> {
    const done = `done: ${firstLine(message.body)}`;
    switch (message.expects) {
      case 'result':
        await this.#call('report_result', { status: 'success', summary: done, ...taskOf(message) }, signal);
        return;
      case 'reply':
        await this.#call('send_message', { to: message.from, content: done }, signal);
        return;
      case 'nothing':
        this.#stage.say(message.body);
        return;
      default:
        message.expects satisfies never;
    }
  }

  async #playAll(
    steps: readonly Step[],
    message: Message | undefined,
    groups: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    for (const step of steps) {
      signal.throwIfAborted();
      await this.#play(step, message, groups, signal);
    }
    signal.throwIfAborted();
  }

  async #play(step: Step, message: Message | undefined, groups: readonly string[], signal: AbortSignal): Promise<void> {
    const values = this.#values(message, groups);
    const filled = (text: string): string => fillIn(text, values);
    switch (step.kind) {
      case 'say':
        return this.#stage.say(filled(step.text));
      case 'wait':
        return pause(step.ms, undefined, { signal });
      case 'send':
        return this.#call('send_message', filledArguments(step.arguments, values), signal);
      case 'report': {
        const task = message?.expects === 'result' ? taskOf(message) : {};
        return this.#call('report_result', { ...task, ...filledArguments(step.arguments, values) }, signal);
      }
      case 'ask_approval': {
        const decision = await this.#stage.ask('approval', filled(step.text), signal);
        this.#variables.set('answer', decision === 'approve' ? 'approved' : 'denied');
        return;
      }
      case 'show_dialog':
        await this.#stage.ask('question', filled(step.text), signal);
        return;
      case 'draft':
        return this.#stage.draft(filled(step.text));
      case 'clear_draft':
        return this.#stage.draft('');
      case 'ignore_keys':
        return this.#stage.ignoreKeys(step.ms);
      case 'hang':
        return forever(signal);
      case 'flood':
        return this.#stage.flood(step.lines, signal);
      case 'crash':
        this.#stage.crash(step.signal);
        return forever(signal);
      case 'exit':
        return this.#stage.exit(step.code);
      case 'run': {
        const ran = await this.#stage.run(fillIn(step.command, values, shellWord), message, signal);
        this.#variables.set('output', ran.output.trimEnd());
        this.#variables.set('exit', String(ran.code));
        return;
      }
      case 'set':
        for (const [name, value] of Object.entries(step.values)) this.#variables.set(filled(name), filled(value));
        return;
      case 'when': {
        const known = step.known.every((name) => this.#variables.has(filled(name)));
        const same = Object.entries(step.is).every(([name, value]) => this.#variables.get(name) === filled(value));
        return known && same ? this.#playAll(step.steps, message, groups, signal) : undefined;
      }
      default:
        return step satisfies never;
    }
  }

  async #call(tool: 'send_message' | 'report_result', args: ToolArguments, signal: AbortSignal): Promise<void> {
    const outcome = await this.#stage.call(tool, args, signal);
    if (!outcome.ok) this.#stage.say(`${tool} failed: ${outcome.error}`);
  }

  #values(message: Message | undefined, groups: readonly string[]): ReadonlyMap<string, string> {
    return new Map([
      ...this.#variables,
      ...Object.entries(this.#place),
      ['body', message?.body ?? ''],
      ['from', message?.from ?? ''],
      ['task', message?.task ?? ''],
      ...groups.map((group, index): [string, string] => [String(index + 1), group]),
    ]);
  }
}

function taskOf(message: Message): { readonly task?: string } {
  return message.task === undefined ? {} : { task: message.task };
}

function filledArguments(args: ToolArguments, values: ReadonlyMap<string, string>): ToolArguments {
  return Object.fromEntries(Object.entries(args).map(([key, value]) => [key, fillInAll(value, values)]));
}

function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
