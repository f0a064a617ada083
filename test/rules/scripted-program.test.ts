import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mint, readIfThere } from '../../src/kernel/index.ts';
import { readComposer } from '../../src/providers/scripted/dialogs.ts';
import { parseRecordLine, type RecordLine } from '../../src/providers/scripted/record.ts';
import { eventually } from '../support/eventually.ts';
import { ToyCoordinator } from './scripted-coordinator.ts';
import { type Launched, Launcher, render } from './scripted-harness.ts';

const launcher = new Launcher();
let coordinator: ToyCoordinator;
let mcpUrl: string;

beforeEach(async () => {
  coordinator = new ToyCoordinator();
  mcpUrl = await coordinator.start();
});
afterEach(async () => {
  await launcher.endAll();
  await coordinator.stop();
});

function record({ handle }: Launched): RecordLine[] {
  const lines = (readIfThere(handle.record) ?? '').split('\n').filter((line) => line !== '');
  return lines.map((line) => parseRecordLine(line)).filter((line) => line !== undefined);
}

function linesOf<Type extends RecordLine['type']>(agent: Launched, type: Type): Extract<RecordLine, { type: Type }>[] {
  return record(agent).filter((line): line is Extract<RecordLine, { type: Type }> => line.type === type);
}

const said = (agent: Launched): string[] => linesOf(agent, 'assistant').map(({ text }) => text);
const turns = (agent: Launched): string[] => linesOf(agent, 'turn').map(({ state }) => state);
const paste = (text: string): string => `\u001b[200~${text.replaceAll('\n', '\r')}\u001b[201~`;
const message = (body: string, attributes = '', from = 'leader'): string =>
  render(mint.delivery(), body, attributes).replace('from leader', `from ${from}`);

/** Waits until so many turns have ended. */
async function ended(agent: Launched, count: number): Promise<void> {
  await eventually(
    `${count} turns have ended`,
    () => turns(agent).filter((state) => state !== 'started').length >= count,
  );
}

/** A caller on the agent's own socket. */
class Caller {
  readonly heard: Record<string, unknown>[] = [];
  readonly #socket: net.Socket;

  constructor(agent: Launched) {
    this.#socket = net.connect(agent.handle.socket ?? '');
    let rest = '';
    this.#socket.setEncoding('utf8').on('data', (piece: string) => {
      const lines = (rest + piece).split('\n');
      rest = lines.pop() ?? '';
      this.heard.push(...lines.map((line) => JSON.parse(line)));
    });
    this.#socket.on('error', () => this.#socket.destroy());
  }

  say(line: unknown): void {
    this.#socket.write(typeof line === 'string' ? `${line}\n` : `${JSON.stringify(line)}\n`);
  }

  async hears(
    type: string,
    fits: (line: Record<string, unknown>) => boolean = () => true,
  ): Promise<Record<string, unknown>> {
    return eventually(`the agent says ${type}`, () => this.heard.find((line) => line.type === type && fits(line)));
  }

  close(): void {
    this.#socket.destroy();
  }
}

describe('without a script', () => {
  test('a message that expects a result is reported, with its task', async () => {
    const agent = await launcher.ready(undefined, { mcpUrl });
    agent.pane.type(`${paste(message('build it\nin detail', ' task t1 expects result'))}\r`);
    await ended(agent, 1);
    expect(coordinator.calls).toEqual([
      {
        name: 'report_result',
        arguments: { status: 'success', summary: 'done: build it', task: 't1' },
        id: expect.any(String),
      },
    ]);
    expect(coordinator.methods.slice(0, 3)).toEqual(['initialize', 'notifications/initialized', 'tools/list']);
    expect([...coordinator.tokens]).toEqual(['Bearer secret-token']);
    expect(linesOf(agent, 'tool')).toMatchObject([{ name: 'report_result', ok: true, call: coordinator.calls[0]?.id }]);
  });

  test('a message that expects a reply is answered to its sender; another is echoed', async () => {
    const agent = await launcher.ready(undefined, { mcpUrl });
    agent.pane.type(`${paste(message('how far?', ' expects reply', 'bob'))}\r`);
    agent.pane.type('just so\r');
    await ended(agent, 2);
    expect(coordinator.calls).toMatchObject([
      { name: 'send_message', arguments: { to: 'bob', content: 'done: how far?' } },
    ]);
    expect(said(agent)).toEqual(['just so']);
    expect(linesOf(agent, 'user')[1]).toMatchObject({ id: null, source: 'composer', text: 'just so' });
  });

  test('an answer may come as an event stream', async () => {
    const streaming = new ToyCoordinator({ stream: true });
    const agent = await launcher.ready(undefined, { mcpUrl: await streaming.start() });
    agent.pane.type(`${paste(message('x', ' expects result'))}\r`);
    await ended(agent, 1);
    await streaming.stop();
    expect(linesOf(agent, 'tool')).toMatchObject([{ ok: true }]);
  });
});

describe('M11 a call that reaches nobody', () => {
  const report = paste(message('work', ' expects result'));

  test('fails at once and stands in the record with its arguments; later calls reach the coordinator again', async () => {
    const agent = await launcher.ready(undefined, { mcpUrl });
    agent.pane.type(`${report}\r`);
    await ended(agent, 1);
    await coordinator.stop();
    agent.pane.type(`${report}\r`);
    await ended(agent, 2);
    await coordinator.start(Number(new URL(mcpUrl).port));
    agent.pane.type(`${report}\r`);
    await ended(agent, 3);
    const [first, missed, third] = linesOf(agent, 'tool');
    expect([first?.ok, missed?.ok, third?.ok]).toEqual([true, false, true]);
    expect(missed).toMatchObject({ unreached: true, arguments: { status: 'success', summary: 'done: work' } });
    expect(coordinator.calls.map(({ id }) => id)).toEqual([first?.call, third?.call]);
  });

  test('is one that the coordinator cut, too; one that it refused is not', async () => {
    coordinator.cutsAt = 'report_result';
    const agent = await launcher.ready(undefined, { mcpUrl });
    agent.pane.type(`${report}\r`);
    await ended(agent, 1);
    coordinator.cutsAt = undefined;
    coordinator.refuses = 'no such task';
    agent.pane.type(`${report}\r`);
    await ended(agent, 2);
    const [cut, refused] = linesOf(agent, 'tool');
    expect(cut).toMatchObject({ ok: false, unreached: true, call: coordinator.calls[0]?.id });
    expect(refused).toMatchObject({ ok: false, error: 'no such task' });
    expect(refused?.unreached).toBeUndefined();
  });

  test('is every call of an agent that started without a coordinator; it greets all the same', async () => {
    await coordinator.stop();
    const agent = await launcher.ready(undefined, { mcpUrl });
    agent.pane.type(`${report}\r`);
    await ended(agent, 1);
    expect(linesOf(agent, 'tool')).toMatchObject([{ ok: false, unreached: true, name: 'report_result' }]);
  });
});

describe('a script', () => {
  test('a planner collects two answers, in whatever order, and reports once for the task it was given', async () => {
    const agent = await launcher.ready(
      `rules:
  - from: leader
    do:
      - set: { job: "{{task}}" }
      - send: { to: scout, text: "look: {{body}}", expects: reply }
      - send: { to: critic, text: "judge: {{body}}", expects: reply }
  - from: [scout, critic]
    do:
      - set: { "{{from}}": "{{body}}" }
      - when:
          known: [scout, critic]
          do:
            - report: { task: "{{job}}", summary: "{{scout}} / {{critic}}", files: ["{{folder}}"] }
`,
      { mcpUrl },
    );
    agent.pane.type(`${paste(message('the bridge', ' task t7 expects result'))}\r`);
    agent.pane.type(`${paste(message('it is safe', '', 'critic'))}\r`);
    agent.pane.type(`${paste(message('it is long', '', 'scout'))}\r`);
    await ended(agent, 3);
    expect(coordinator.calls.map((call) => call.arguments)).toEqual([
      { to: 'scout', content: 'look: the bridge', expects: 'reply' },
      { to: 'critic', content: 'judge: the bridge', expects: 'reply' },
      { task: 't7', status: 'success', summary: 'it is long / it is safe', files: [agent.request.folder] },
    ]);
  });

  test('rules are tried in order, `times` uses one up, and `otherwise` takes the rest', async () => {
    const agent = await launcher.ready(`rules:
  - { match: "add (\\\\d+) and (\\\\d+)", times: 1, do: [{ say: "{{1}}+{{2}}" }] }
  - { match: add, do: [{ say: again }] }
otherwise: [{ say: "what is {{body}}?" }]
`);
    for (const text of ['add 2 and 3', 'add 2 and 3', 'love']) agent.pane.type(`${text}\r`);
    await ended(agent, 3);
    expect(said(agent)).toEqual(['2+3', 'again', 'what is love?']);
  });

  test('a command runs in its folder, with templates as single words, and without the token', async () => {
    const agent = await launcher.ready(`rules:
  - do:
      - run: "pwd; echo {{body}}; echo \\"$BODY\\"; echo \\"[$TEAM_AGENT_TOKEN]\\"; exit 3"
      - say: "{{exit}}: {{output}}"
`);
    const nasty = `it's "x"; $(touch oops) \`id\``;
    agent.pane.type(`${paste(nasty)}\r`);
    await ended(agent, 1);
    expect(said(agent)).toEqual([`3: ${agent.request.folder}\n${nasty}\n${nasty}\n[]`]);
    expect(fs.existsSync(path.join(agent.request.folder, 'oops'))).toBe(false);
  });

  test('Escape interrupts a turn and the command in it; the next message is taken', async () => {
    const agent = await launcher.ready(`rules:
  - { match: ^sleep, do: [{ run: "echo $$ > pid; sleep 600 & wait" }, { say: never }] }
  - { match: ^hang, do: [{ hang: true }, { say: never }] }
`);
    agent.pane.type('sleep\r');
    const pid = await eventually('the command runs', () => Number(readIfThere(path.join(agent.request.folder, 'pid'))));
    agent.pane.type('\u001b');
    await ended(agent, 1);
    await eventually('the command is gone', () => !fs.existsSync(`/proc/${pid}`));
    agent.pane.type('hang\r');
    await eventually('it works', () => agent.attachment.facts()[0]?.value === 'working');
    agent.pane.type('next\r');
    agent.pane.type('\u001b');
    await ended(agent, 3);
    expect(turns(agent)).toEqual(['started', 'interrupted', 'started', 'interrupted', 'started', 'ended']);
    expect(said(agent)).toEqual(['next']);
  });

  test('an approval is answered over the socket, and says how', async () => {
    const agent = await launcher.ready(`rules:
  - do:
      - ask_approval: "May I {{body}}?"
      - when: { is: { answer: approved }, do: [{ say: "did {{body}}" }] }
      - when: { is: { answer: denied }, do: [{ say: "left {{body}}" }] }
`);
    const caller = new Caller(agent);
    caller.say({ type: 'answer', decision: 'approve' });
    await caller.hears('error', (line) => line.message === 'no approval is open');
    for (const [text, decision] of [
      ['sing', 'deny'],
      ['dance', 'approve'],
    ]) {
      agent.pane.type(`${text}\r`);
      await caller.hears(
        'state',
        (line) => JSON.stringify(line.dialog) === JSON.stringify({ kind: 'approval', text: `May I ${text}?` }),
      );
      await eventually('the screen to show it', () => {
        const seen = readComposer(agent.pane.terminal.lines);
        return seen.seen === 'dialog' && seen.text === `May I ${text}?`;
      });
      caller.say({ type: 'answer', decision });
      await eventually('it goes on', () => said(agent).some((line) => line.endsWith(text ?? '')));
    }
    caller.close();
    await ended(agent, 2);
    expect(said(agent)).toEqual(['left sing', 'did dance']);
    expect(linesOf(agent, 'dialog').map(({ state, kind }) => `${state} ${kind}`)).toEqual([
      'opened approval',
      'closed approval',
      'opened approval',
      'closed approval',
    ]);
  });

  test('M07 the trap: what is pasted into an approval is lost, and its Enter approves', async () => {
    const agent = await launcher.ready('on_start:\n  - ask_approval: "Delete it?"\n  - say: "answer: {{answer}}"\n');
    await eventually('the dialog is drawn', () => readComposer(agent.pane.terminal.lines).seen === 'dialog');
    agent.pane.type(`${paste('unrelated news')}\r`);
    await ended(agent, 1);
    expect(said(agent)).toEqual(['answer: approved']);
    expect(linesOf(agent, 'user')).toEqual([]);
  });

  test('ignored keys are lost, a draft is kept until somebody sends it', async () => {
    const agent = await launcher.ready(`on_start:
  - ignore_keys: 600000
rules:
  - { match: "^draft", do: [{ draft: "half a" }] }
`);
    await ended(agent, 1);
    const caller = new Caller(agent);
    await caller.hears('greeting');
    agent.pane.type('lost\r');
    caller.say({ type: 'submit', id: 'd-1', from: 'leader', text: 'draft' });
    await caller.hears('state', (line) => line.draft === true);
    await eventually('the draft is drawn', () => readComposer(agent.pane.terminal.lines).seen === 'draft');
    caller.close();
    expect(linesOf(agent, 'user').map(({ text }) => text)).toEqual(['draft']);
  });

  test('a draft and what is typed behind it are one message', async () => {
    const agent = await launcher.ready('on_start:\n  - draft: "half a"\n');
    await ended(agent, 1);
    agent.pane.type(' sentence\r');
    await ended(agent, 2);
    expect(linesOf(agent, 'user').map(({ text }) => text)).toEqual(['half a sentence']);
  });

  test('crash, exit and quit end it as they say', async () => {
    const crashed = await launcher.ready('rules: [{ do: [{ crash: SIGKILL }] }]');
    crashed.pane.type('now\r');
    await eventually('it has crashed', () => crashed.attachment.liveness() === 'dead');
    expect(readIfThere(crashed.handle.exitFile ?? '')).toMatch(/^code 137 at \d+\n$/);
    const exited = await launcher.ready('rules: [{ do: [{ exit: 7 }] }]');
    exited.pane.type('now\r');
    await eventually('it has ended', () => exited.attachment.liveness() === 'dead');
    expect(readIfThere(exited.handle.exitFile ?? '')).toMatch(/^code 7 at/);
    expect(record(exited).at(-1)).toMatchObject({ type: 'exit', code: 7 });
    expect(fs.existsSync(exited.handle.socket ?? '')).toBe(false);
    const quit = await launcher.ready();
    quit.pane.type('x\u0003\u0003');
    await eventually('it has quit', () => quit.attachment.liveness() === 'dead');
    expect(record(quit).at(-1)).toMatchObject({ type: 'exit', code: 0 });
  });

  test('an exit before the greeting is an agent that never was ready', async () => {
    const agent = await launcher.launch('before_greeting: [{ exit: 4 }]');
    await eventually('it has ended', () => agent.attachment.liveness() === 'dead');
    expect(agent.attachment.greeted()).toBe(false);
  });

  test('a flood goes by, and the composer stands below it', async () => {
    const agent = await launcher.ready('on_start: [{ flood: { lines: 5000 } }]');
    await ended(agent, 1);
    await eventually('all of it is drawn', () => agent.pane.terminal.lines.includes('line 5000 of 5000'));
    expect(readComposer(agent.pane.terminal.lines)).toEqual({ seen: 'empty' });
    expect(agent.pane.terminal.lines.filter((line) => line.startsWith('line '))).toHaveLength(5000);
  });

  test('escape sequences of a message do not reach the terminal', async () => {
    const agent = await launcher.ready();
    const caller = new Caller(agent);
    await caller.hears('greeting');
    caller.say({ type: 'submit', id: 'd-1', from: 'x', text: 'a\u001b[2Jb\u0007' });
    await ended(agent, 1);
    caller.close();
    await eventually('it is shown', () => agent.pane.terminal.lines.includes('* typed: ab'));
    expect(linesOf(agent, 'user')[0]?.text).toBe('a\u001b[2Jb\u0007');
  });
});

describe('the ways in', () => {
  test('a paste of 1 MB arrives whole, and so does a submitted one', async () => {
    const agent = await launcher.ready('rules: [{ do: [{ say: taken }] }]');
    const text = 'äöü €\n'.repeat(100_000);
    agent.pane.type(`${paste(text)}\r`);
    await ended(agent, 1);
    const caller = new Caller(agent);
    caller.say({ type: 'submit', id: 'd-1', from: 'leader', text });
    await caller.hears('submitted');
    await ended(agent, 2);
    caller.close();
    for (const line of linesOf(agent, 'user')) expect(line.text).toBe(text);
  });

  test('the socket is for its owner alone, greets, finds, and forgives nonsense', async () => {
    const agent = await launcher.ready('rules: [{ match: hang, do: [{ hang: true }] }]');
    expect((fs.statSync(agent.handle.socket ?? '').mode & 0o777).toString(8)).toBe('600');
    const caller = new Caller(agent);
    expect(await caller.hears('greeting')).toMatchObject({
      version: 1,
      session: agent.request.session,
      record: agent.handle.record,
      turn: { state: 'idle' },
      dialog: null,
      draft: false,
    });
    caller.say('nonsense');
    await caller.hears('error');
    caller.say({ type: 'submit', id: 'one', from: 'a', text: 'hang' });
    caller.say({ type: 'submit', id: 'two', from: 'a', text: 'later' });
    for (const id of ['one', 'two', 'three']) caller.say({ type: 'find', id });
    const where = async (id: string) => (await caller.hears('found', (line) => line.id === id)).where;
    expect([await where('one'), await where('two'), await where('three')]).toEqual(['record', 'queue', 'absent']);
    const found = await caller.hears('found', (line) => line.id === 'one');
    const line = fs.readFileSync(agent.handle.record).subarray(Number(found.offset)).toString().split('\n', 1)[0];
    expect(parseRecordLine(line ?? '')).toMatchObject({ type: 'user', id: 'one' });
    caller.close();
  });

  test('the same id twice is taken twice, in the order of arrival', async () => {
    const agent = await launcher.ready();
    const caller = new Caller(agent);
    for (const text of ['a', 'b', 'c']) caller.say({ type: 'submit', id: text === 'c' ? 'a' : text, from: 'x', text });
    await ended(agent, 3);
    caller.close();
    expect(linesOf(agent, 'user').map(({ id, text }) => `${id}${text}`)).toEqual(['aa', 'bb', 'ac']);
  });

  test('a resumed session goes on in the same record, behind a line that was cut off', async () => {
    const first = await launcher.ready();
    const caller = new Caller(first);
    caller.say({ type: 'submit', id: 'early', from: 'x', text: 'hello' });
    await ended(first, 1);
    caller.close();
    await launcher.endAll();
    fs.appendFileSync(first.handle.record, '{"type":"assist');
    const { workspace, session } = first.request;
    const second = await launcher.ready(undefined, { workspace, session });
    expect(second.handle.record).toBe(first.handle.record);
    expect(linesOf(second, 'session').map(({ incarnation }) => incarnation)).toEqual([
      first.request.incarnation,
      second.request.incarnation,
    ]);
    const again = new Caller(second);
    again.say({ type: 'find', id: 'early' });
    const { offset } = await again.hears('found', (line) => line.where === 'record');
    again.close();
    expect(fs.readFileSync(second.handle.record).subarray(Number(offset)).toString()).toMatch(
      /^\{"type":"user","id":"early"/,
    );
  });
});
