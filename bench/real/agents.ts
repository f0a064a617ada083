import { setTimeout as pause } from 'node:timers/promises';
import type { ModelServer } from '../../test/real/world/model-server.ts';
import type { ToolClient } from '../calls.ts';
import { type Row, row } from '../figures.ts';
import type { Followed, Project } from '../project.ts';
import { counters, memory, pidOf, SETTLING } from '../scenes/idle.ts';
import type { Stage } from '../scenes/scene.ts';
import { consumed, delivered, lastBefore, recordOf, turnEnds } from './deliveries.ts';
import type { World } from './world.ts';

const ROUNDS = 30;

/** After the end of a turn a CLI still tidies up: an idle one is measured so long after it, ms. */
const REST = 250;

/** Claude Code drops what one sender sends too quickly, and the product paces each sender: they take turns. */
const SENDERS = ['ada', 'ben', 'cid', 'dot'];

/**
 * Messages to a Claude Code and a Codex that are idle, that are busy, and from one to the other. A message is stored and
 * consumed by the clock of the ledger: consumed is when the recipient's own record is known to hold it. A turn ends when
 * Codex's rollout says so, or when the Stop hook of Claude Code comes; "its hook" is its UserPromptSubmit with the message.
 * Both hooks are heard by one of the user's own, which runs beside the product's.
 */
export async function agentRows(world: World, { floors }: Stage): Promise<readonly Row[]> {
  const members = [...SENDERS, 'claire', 'cody'];
  const project = world.project('agents', [
    { id: 'claire', provider: 'claude' },
    { id: 'cody', provider: 'codex' },
    ...SENDERS.map((id) => ({ id, script: 'rules: [{ do: [] }]' })),
  ]);
  await project.start();
  const team = { project, followed: project.follow(), tools: SENDERS.map((id) => project.tools(id)) };
  const floor = { name: 'commit', value: floors.commit };
  const rows = [
    ...(await codexRows(team, world, floor)),
    ...(await claudeRows(team, world, floor)),
    ...(await atRest(project, members.length)),
  ];
  await project.end();
  return rows;
}

async function codexRows(team: Team, { openai }: World, floor: Floor): Promise<Row[]> {
  const rested = delivered(team.project, { to: 'cody', ids: await idle(team, 'cody', (round) => `hello ${round}`) });
  const worked = delivered(team.project, { to: 'cody', ids: await busy(team, 'cody', openai) });
  const ends = turnEnds(recordOf(team.project, 'cody'));
  const afterTurn = worked.map(({ consumed_at: at }) => at - lastBefore(ends, at));
  return [
    row('Codex idle: stored -> consumed', 'ms', rested.map(took), { floor, ...ms(30, 60) }),
    row("Codex busy: turn's end -> consumed", 'ms', afterTurn, { floor, ...ms(35, 70) }),
  ];
}

/** The messages to an idle Claude Code make it write to Codex: these are the peer messages. */
async function claudeRows(team: Team, { anthropic, hooked }: World, floor: Floor): Promise<Row[]> {
  const asks = (round: number) =>
    `tell cody [[team send_message {"to":"cody","content":"from claire ${round}","expects":"nothing"}]] [[say told]]`;
  const rested = delivered(team.project, { to: 'claire', ids: await idle(team, 'claire', asks) });
  const peer = delivered(team.project, { to: 'cody', from: 'claire' });
  const worked = delivered(team.project, { to: 'claire', ids: await busy(team, 'claire', anthropic) });
  const submitted = (id: string): number => {
    const hook = hooked.find(({ event, prompt }) => event === 'UserPromptSubmit' && prompt.includes(id));
    if (!hook) throw new Error(`no hook told of ${id}`);
    return hook.at;
  };
  const stops = hooked.filter(({ event }) => event === 'Stop').map(({ at }) => at);
  const toHook = rested.map((one) => submitted(one.delivery_id) - one.stored_at);
  const busyToHook = worked.map(({ delivery_id: id }) => submitted(id) - lastBefore(stops, submitted(id)));
  const busyToRecord = worked.map((one) => one.consumed_at - lastBefore(stops, submitted(one.delivery_id)));
  return [
    row('Claude idle: stored -> its hook', 'ms', toHook, { floor, ...ms(45, 90) }),
    row('Claude idle: stored -> consumed', 'ms', rested.map(took), { floor, ...ms(130, 200) }),
    row("Claude busy: turn's end -> its hook", 'ms', busyToHook, { floor, ...ms(80, 130) }),
    row("Claude busy: turn's end -> consumed", 'ms', busyToRecord, { floor }),
    row('Claude calls -> consumed by Codex', 'ms', peer.map(took), { floor, ...ms(45, 80) }),
  ];
}

type Floor = NonNullable<Row['floor']>;

const ms = (limit: number, p95: number) => ({ budget: { limit, of: 'value', p95 } as const });

const took = (one: { stored_at: number; consumed_at: number }): number => one.consumed_at - one.stored_at;

interface Team {
  readonly project: Project;
  readonly followed: Followed;
  readonly tools: readonly ToolClient[];
}

/** Each message waits until everybody has come to rest after the one before it. Resolves with the ids. */
async function idle(team: Team, to: string, text: (round: number) => string): Promise<string[]> {
  const client = team.project.client();
  const ids: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const id = await send(team, round, to, text(round));
    ids.push(id);
    await consumed(team.followed, id);
    await client.request('/verbs/wait', { idle: true, timeout_s: 10 });
    await pause(REST);
  }
  return ids;
}

/** The answer to each message is held until the next one is in the line, so that each is taken at the end of a turn. */
async function busy(team: Team, to: string, model: ModelServer): Promise<string[]> {
  const ids: string[] = [];
  const gateOf = (round: number) => model.holdAnswers(({ prompt }) => prompt.includes(`busy ${round}.`));
  let gate = gateOf(0);
  const first = await send(team, 0, to, 'busy 0.');
  await consumed(team.followed, first);
  for (let round = 1; round <= ROUNDS; round++) {
    const next = gateOf(round);
    const id = await send(team, round, to, `busy ${round}.`);
    ids.push(id);
    await pause(REST);
    gate.release();
    await consumed(team.followed, id);
    gate = next;
  }
  gate.release();
  await team.project.client().request('/verbs/wait', { idle: true, timeout_s: 10 });
  return ids;
}

async function send({ tools }: Team, round: number, to: string, content: string): Promise<string> {
  const said = await tools[round % tools.length]?.tool('send_message', { to, content, expects: 'nothing' });
  const [id] = /\bm_[0-9a-f]+/.exec(said ?? '') ?? [];
  if (id === undefined) throw new Error(`send_message: ${said}`);
  return id;
}

/** The coordinator when nobody has anything to do. */
async function atRest(project: Project, agents: number): Promise<Row[]> {
  const seconds = 10;
  await pause(SETTLING);
  const pid = pidOf(project);
  const before = counters(pid);
  await pause(seconds * 1_000);
  const after = counters(pid);
  const value = (limit: number) => ({ budget: { limit, of: 'value' } as const });
  return [
    row(`at rest: processor, over ${seconds} s`, '%', [((after.cpu - before.cpu) / (seconds * 1e9)) * 100], value(0.3)),
    row('at rest: processes started', 'count', [after.faults > before.faults ? 1 : 0], value(0)),
    row('at rest: bytes written to disk', 'bytes', [after.written - before.written], value(0)),
    row('memory, after those messages', 'MB', [memory(pid)], value(110 + 0.6 * agents)),
  ];
}
