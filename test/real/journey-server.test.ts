import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ProcessIdentity, probeProcess, signalProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { ask, deliver, lifeOf, tmux } from '../tmux/journey.ts';
import { childrenOf, modelOf, post, queuedBehind, takenBy, takenOnce, toldAbout } from './crash-stage.ts';
import { quickStart, whyWhen } from './stage.ts';
import { RealProduct } from './world/real-product.ts';

let product: RealProduct;

beforeAll(async () => {
  product = await RealProduct.open();
  const folder = product.writeTeam(
    'fragile',
    [
      { id: 'claire', provider: 'claude' },
      { id: 'clara', provider: 'claude' },
      { id: 'cody', provider: 'codex' },
      { id: 'cora', provider: 'codex' },
    ],
    'startup_order: [claire, clara, cody, cora]\n',
  );
  await quickStart(product, folder);
});
afterAll(() => product?.end());

/** The command-line tool itself, below the wrapper that its pane runs. */
function cliOf(agent: string): ProcessIdentity {
  const [cli] = childrenOf(lifeOf(product, agent).handle.process);
  if (!cli) throw new Error(`${agent} runs nothing`);
  return cli;
}

async function kill(victim: ProcessIdentity): Promise<void> {
  signalProcess(victim, 'SIGKILL');
  await eventually('it to be gone', () => probeProcess(victim) === 'dead');
}

/** Kills an app-server and waits until another one has its thread. */
async function killServer(agent: string): Promise<void> {
  const told = toldAbout(product, agent).filter((kind) => kind === 'server_restarted').length;
  const server = cliOf(agent);
  await kill(server);
  await eventually('the leader to hear that it was started again', () => {
    return toldAbout(product, agent).filter((kind) => kind === 'server_restarted').length > told;
  });
  expect(cliOf(agent).pid).not.toBe(server.pid);
}

/** One more message: read at the first offer, by the protocol, in one turn. */
async function worksOn(agent: string, body: string): Promise<void> {
  const { message_id, channel, attempts } = await deliver(product, agent, body, '--expects', 'nothing');
  expect({ channel, attempts }).toEqual({ channel: 'protocol', attempts: 1 });
  await takenOnce(product, agent, message_id, body);
  await whyWhen(product, agent, 'idle');
}

/** What waits for an agent that has ended: unread, offered to nobody. */
async function waitsForStart(agent: string, message: string): Promise<void> {
  const waiting = await eventually('it to wait for the next start', async () => {
    const [delivery] = (await ask(product, 'deliveries', message)).deliveries;
    return delivery?.state === 'held' && delivery.reason === 'agent_not_running' ? delivery : undefined;
  });
  expect(takenBy(product, agent)).not.toContain(waiting.delivery_id);
}

/** Its end stands in the ledger once, and the leader heard of it once. */
async function endedOnce(agent: string): Promise<void> {
  const ends = () =>
    product.rows(`select data from events where type = 'agent.exited'`).filter(({ data }) => {
      return (JSON.parse(String(data)) as { agent_id: string }).agent_id === agent;
    });
  await eventually('its end to be written down', () => ends().length > 0);
  await whyWhen(product, agent, 'exited');
  expect(ends()).toHaveLength(1);
  expect(toldAbout(product, agent).filter((kind) => kind === 'exited')).toHaveLength(1);
}

describe("Codex' app-server is killed", () => {
  let thread = '';

  test('M03 while nothing runs: it comes back with its thread, and nothing is done twice', async () => {
    await worksOn('cody', 'before any kill');
    thread = modelOf(product, 'cody').requestWith('before any kill')?.session ?? '';
    const taken = takenBy(product, 'cody');
    await killServer('cody');
    expect(takenBy(product, 'cody')).toEqual(taken);
    await worksOn('cody', 'after the first kill');
    expect(modelOf(product, 'cody').requestWith('after the first kill')?.session).toBe(thread);
    expect(toldAbout(product, 'cody')).toEqual(['server_restarted']);
  });

  test("M03 with our message in its queue behind a person's turn: that turn is lost, ours runs once", async () => {
    const { message, gate } = await queuedBehind(product, 'cody', 'survives in the queue', 'typed and lost');
    const asked = modelOf(product, 'cody').requestsWith('typed and lost').length;
    await killServer('cody');
    gate.release();
    expect(await takenOnce(product, 'cody', message, 'survives in the queue')).toMatchObject({ attempts: 1 });
    expect(modelOf(product, 'cody').requestsWith('typed and lost')).toHaveLength(asked);
    expect(toldAbout(product, 'cody').slice(1).sort()).toEqual(['server_restarted', 'turn_lost']);
    await worksOn('cody', 'after the second kill');
  });

  test('M03 in a running turn: the turn is lost, told once and not run again; what waited is read', async () => {
    const gate = modelOf(product, 'cody').holdAnswers(({ prompt }) => prompt.includes('its turn is lost'));
    const lost = await deliver(product, 'cody', 'its turn is lost', '--expects', 'nothing');
    await eventually('the model to be asked', () => modelOf(product, 'cody').requestWith('its turn is lost'));
    const waiting = await post(product, 'cody', 'waits for the end of it');
    await killServer('cody');
    gate.release();
    await takenOnce(product, 'cody', waiting, 'waits for the end of it');
    expect((await ask(product, 'deliveries', lost.message_id)).deliveries).toMatchObject([{ state: 'consumed' }]);
    expect(takenBy(product, 'cody').filter((id) => id === lost.delivery_id)).toHaveLength(1);
    expect(modelOf(product, 'cody').requestsWith('its turn is lost')).toHaveLength(1);
    expect(toldAbout(product, 'cody').filter((kind) => kind === 'turn_lost')).toHaveLength(2);
    await worksOn('cody', 'after the third kill');
  });

  test('M03 E12 oftener than it is started again: it has ended, told once, and what comes waits', async () => {
    await kill(cliOf('cody'));
    const late = await post(product, 'cody', 'too late');
    await endedOnce('cody');
    await waitsForStart('cody', late);
    expect(toldAbout(product, 'cody').filter((kind) => kind === 'server_restarted')).toHaveLength(3);
  });
});

describe('Claude Code', () => {
  test('M03 its inbox socket is removed: what is still queued goes by paste, and nothing twice', async () => {
    await worksOn('claire', 'by its inbox');
    const gate = modelOf(product, 'claire').holdAnswers(({ prompt }) => prompt.includes('read before'));
    const first = await deliver(product, 'claire', 'read before', '--expects', 'nothing');
    const bodies = ['still queued', 'behind it'];
    const queued = [];
    for (const body of bodies) queued.push(await post(product, 'claire', body));
    fs.rmSync(lifeOf(product, 'claire').handle.socket ?? '');
    gate.release();
    for (const [at, body] of bodies.entries()) {
      expect(await takenOnce(product, 'claire', queued[at] ?? '', body)).toMatchObject({ channel: 'paste' });
    }
    await takenOnce(product, 'claire', first.message_id, 'read before');
  });

  test('M03 E12 is killed with a message in its own queue: it was not read, and waits for the next start', async () => {
    const { message, id } = await queuedBehind(product, 'clara', 'dies with its queue', 'a person was quicker');
    await kill(cliOf('clara'));
    const late = await post(product, 'clara', 'too late');
    await endedOnce('clara');
    await waitsForStart('clara', message);
    await waitsForStart('clara', late);
    expect(takenBy(product, 'clara')).not.toContain(id);
    expect(modelOf(product, 'clara').requestsWith('dies with its queue')).toEqual([]);
  });
});

describe('a pane is killed', () => {
  test('M03 the one that shows Codex: its life goes on, messages arrive, and it is shown again', async () => {
    const { handle } = lifeOf(product, 'cora');
    tmux(product, 'kill-pane', '-t', handle.view?.pane ?? '');
    await worksOn('cora', 'seen by nobody');
    const again = await eventually('another view', () => {
      const { view } = lifeOf(product, 'cora').handle;
      return view?.pane === handle.view?.pane ? undefined : view;
    });
    await eventually('it shows the conversation', () =>
      tmux(product, 'capture-pane', '-p', '-t', again.pane).includes('seen by nobody'),
    );
    await worksOn('cora', 'seen again');
    expect(lifeOf(product, 'cora').handle.process).toEqual(handle.process);
    expect(toldAbout(product, 'cora')).toEqual([]);
  });

  test.each(['cora', 'claire'])(
    'M03 E12 the one in which %s runs: its end is told once, and what comes waits',
    async (agent) => {
      const { handle } = lifeOf(product, agent);
      const cli = cliOf(agent);
      tmux(product, 'kill-pane', '-t', handle.pane.pane);
      const late = await post(product, agent, 'too late');
      await endedOnce(agent);
      await waitsForStart(agent, late);
      await eventually('its processes to be gone', () =>
        [handle.process, cli].every((one) => probeProcess(one) === 'dead'),
      );
    },
  );
});
