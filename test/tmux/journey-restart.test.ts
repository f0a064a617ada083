import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { displayWidth } from '../../src/cli/rendering/width.ts';
import { type ProcessIdentity, signalProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import { type Answer, ask, deliver, LISTENER, lifeOf, powerOff, reached, start, tmux } from './journey.ts';

let product: Product;
beforeEach(() => {
  product = new Product();
});
afterEach(() => product.end());

interface Restarted extends Answer {
  readonly team: string;
  readonly session_name: string;
  readonly agents: readonly {
    readonly agent_id: string;
    readonly restart_mode: 'resumed' | 'fresh';
    readonly session_id: string;
    readonly incarnation: string;
    readonly ready_ms: number;
  }[];
}

const restart = (...flags: readonly string[]): Promise<Restarted> => product.json<Restarted>(['restart', ...flags]);

const open = (team = 'crew'): unknown[] =>
  product.rows(`select agent_id from incarnations where team = '${team}' and ended_at is null order by agent_id`);

const recordOf = (agent: string, team = 'crew'): string =>
  String(
    product.rows(
      `select record from sessions where agent_id = '${agent}' and team = '${team}' and discarded_at is null order by opened_at desc`,
    )[0]?.record,
  );

const modes = ({ agents }: Restarted): unknown => agents.map(({ agent_id, restart_mode }) => [agent_id, restart_mode]);

/** The documents of the user, byte for byte. */
function documents(): Record<string, string> {
  const names = fs.readdirSync(path.join(product.workspace, 'docs'), { recursive: true, encoding: 'utf8' }).sort();
  const files = names
    .map((name) => path.join(product.workspace, 'docs', name))
    .filter((file) => fs.statSync(file).isFile());
  return Object.fromEntries(files.map((file) => [file, fs.readFileSync(file, 'utf8')]));
}

async function team(name: string, ...ids: readonly string[]): Promise<void> {
  await start(
    product,
    product.writeTeam(
      name,
      ids.map((id) => ({ id, script: LISTENER })),
    ),
  );
}

/** The agent's own program, below its wrapper. */
function programIn(record: string): ProcessIdentity {
  const [life = '{}'] = fs.readFileSync(record, 'utf8').split('\n');
  return JSON.parse(life);
}

/** The machine goes down, with all that ran. */
async function reboot(): Promise<void> {
  const agents = product
    .rows('select handle from incarnations where ended_at is null')
    .map(({ handle }) => JSON.parse(String(handle)).process);
  const programs = product
    .rows('select record from sessions join incarnations using (incarnation) where ended_at is null')
    .map(({ record }) => programIn(String(record)));
  await powerOff(product, [...agents, ...programs]);
}

describe('restart', () => {
  test('G11 after a shutdown each agent goes on with its conversation; its history is there, its mail arrives', async () => {
    await team('crew', 'a', 'a1');
    await deliver(product, 'a', 'remember me');
    const sessions = product.rows('select agent_id, session_id from sessions order by agent_id');
    await ask(product, 'shutdown');
    const again = await restart();
    expect(again).toMatchObject({ ok: true, code: 0, team: 'crew' });
    expect(modes(again)).toEqual([
      ['a', 'resumed'],
      ['a1', 'resumed'],
    ]);
    expect(again.agents.map(({ agent_id, session_id }) => ({ agent_id, session_id }))).toEqual(sessions);
    await deliver(product, 'a', 'and me');
    expect(fs.readFileSync(recordOf('a'), 'utf8')).toMatch(/remember me[\s\S]*and me/);
    for (const { agent_id } of again.agents) expect(lifeOf(product, agent_id).handle.pane.pane).toMatch(/^%/);
  });

  test('G11 after a reboot it is one step, and what was on its way is said to be unproved, what waited behind it is delivered once', async () => {
    await team('crew', 'a', 'b');
    await deliver(product, 'a', 'remember me');
    signalProcess(programIn(recordOf('a')), 'SIGSTOP');
    const sent = await ask(product, 'send', 'a', 'on its way');
    const behind = await ask(product, 'send', 'a', 'behind it');
    await reached(product, sent.message_id, ['submitted']);
    await reboot();
    const again = await restart();
    expect(modes(again)).toEqual([
      ['a', 'resumed'],
      ['b', 'resumed'],
    ]);
    await reached(product, behind.message_id);
    expect(await reached(product, sent.message_id, ['dead'])).toMatchObject([{ reason: 'unproved', attempts: 1 }]);
    expect(fs.readFileSync(recordOf('a'), 'utf8')).toMatch(/remember me[\s\S]*behind it/);
    expect(fs.readFileSync(recordOf('a'), 'utf8')).not.toContain('on its way');
    expect(open()).toEqual([{ agent_id: 'a' }, { agent_id: 'b' }]);
  });

  test('G11 a team whose agents are all gone is started again; one of which an agent lives is refused and left alone', async () => {
    await team('crew', 'a', 'b');
    const [a, b] = [lifeOf(product, 'a'), lifeOf(product, 'b')];
    signalProcess(a.handle.process, 'SIGKILL');
    await eventually('its end to be written down', () => open().length === 1);
    const refused = await restart();
    expect(refused).toMatchObject({ ok: false, code: 1, reason: 'team_already_running' });
    expect(refused.message).toContain('b');
    expect(lifeOf(product, 'b')).toEqual(b);
    signalProcess(b.handle.process, 'SIGKILL');
    await eventually('its end to be written down', () => open().length === 0);
    expect(modes(await restart())).toEqual([
      ['a', 'resumed'],
      ['b', 'resumed'],
    ]);
  });

  test('G12 Z36 Z38 conversations that are gone are named, each, and nothing is started; --allow-fresh gives up those alone', async () => {
    await team('crew', 'a', 'b', 'c', 'never');
    for (const agent of ['a', 'b', 'c']) await deliver(product, agent, `remember me, ${agent}`);
    await ask(product, 'shutdown');
    for (const agent of ['a', 'b', 'never']) fs.rmSync(recordOf(agent));
    const before = product.rows('select * from incarnations order by incarnation');
    const refused = await restart();
    expect(refused).toMatchObject({ ok: false, code: 1, reason: 'resume_atomicity' });
    expect(refused.message).toMatch(/of a cannot[\s\S]*of b cannot/);
    expect(refused.message).not.toMatch(/of (c|never) cannot/);
    expect(refused.evidence?.unresumable).toMatchObject([
      { agent: 'a', first_send_at: expect.any(Number) },
      { agent: 'b', first_send_at: expect.any(Number) },
    ]);
    expect(refused.next).toEqual(['team-agent restart --team crew --allow-fresh']);
    expect(product.rows('select * from incarnations order by incarnation')).toEqual(before);
    expect(product.rows('select intent from teams')).toEqual([{ intent: 'stopped' }]);
    expect(fs.existsSync(product.paths.tmux)).toBe(false);
    expect(modes(await restart('--allow-fresh'))).toEqual([
      ['a', 'fresh'],
      ['b', 'fresh'],
      ['c', 'resumed'],
      ['never', 'fresh'],
    ]);
  });

  test('G13 Z39 Z43 one agent does not get ready: all of it is undone, the sibling team and the documents stay as they are, the next restart resumes', async () => {
    await team('crew', 'a', 'b');
    await team('crew-2', 'a', 'b');
    await deliver(product, 'a', 'remember me', '--team', 'crew');
    await ask(product, 'shutdown', '--team', 'crew');
    const sibling = product.rows(`select * from incarnations where team = 'crew-2' order by incarnation`);
    const panes = tmux(product, 'list-panes', '-a', '-F', '#{pane_id} #{pane_pid}');
    const user = documents();
    const kept = path.join(product.paths.team, 'crew', 'agents', 'b.yaml');
    fs.writeFileSync(kept, 'before_greeting: [{ say: "no licence" }, { wait: 300 }, { exit: 7 }]\n');
    const refused = await restart('--team', 'crew');
    expect(refused).toMatchObject({ ok: false, code: 1, reason: 'agents_not_ready' });
    expect(refused.message).toMatch(/^b: it ended before it was ready/);
    expect(open('crew')).toEqual([]);
    expect(product.rows(`select intent from teams where team = 'crew'`)).toEqual([{ intent: 'stopped' }]);
    expect(product.rows(`select outcome from sagas where verb = 'restart'`)).toEqual([{ outcome: 'undone' }]);
    expect(product.rows(`select * from incarnations where team = 'crew-2' order by incarnation`)).toEqual(sibling);
    expect(tmux(product, 'list-panes', '-a', '-F', '#{pane_id} #{pane_pid}')).toBe(panes);
    expect(documents()).toEqual(user);
    fs.writeFileSync(kept, LISTENER);
    expect(modes(await restart('--team', 'crew'))).toEqual([
      ['a', 'resumed'],
      ['b', 'resumed'],
    ]);
    expect(fs.readFileSync(recordOf('a'), 'utf8')).toContain('remember me');
  });

  test('G13 a launch that is undone leaves the conversations of before', async () => {
    await team('crew', 'a', 'b');
    await deliver(product, 'a', 'remember me');
    const before = recordOf('a');
    await ask(product, 'shutdown');
    const kept = path.join(product.paths.team, 'crew', 'agents', 'b.yaml');
    fs.writeFileSync(kept, 'before_greeting: [{ wait: 300 }, { exit: 7 }]\n');
    const again = await ask(product, 'quick-start', path.join(product.paths.team, 'crew'), '--fresh');
    expect(again).toMatchObject({ ok: false, reason: 'agents_not_ready' });
    fs.writeFileSync(kept, LISTENER);
    expect((await restart()).ok).toBe(true);
    expect(recordOf('a')).toBe(before);
    expect(lifeOf(product, 'a').handle.record).toBe(before);
  });

  test('G11 Z20 Z33 Z41 two teams in one workspace: one of them is meant, by its name; prefixes of names are names of their own', async () => {
    await team('crew', 'a', 'a1');
    await team('crew-2', 'a', 'a1');
    await deliver(product, 'a', 'of the first', '--team', 'crew');
    await deliver(product, 'a', 'of the second', '--team', 'crew-2');
    await reboot();
    const refused = await restart();
    expect(refused).toMatchObject({
      ok: false,
      reason: 'team_ambiguous',
      evidence: { candidates: ['crew', 'crew-2'] },
      next: ['team-agent restart --team crew', 'team-agent restart --team crew-2'],
    });
    expect((await restart('--team', 'crew')).ok).toBe(true);
    expect(open('crew')).toHaveLength(2);
    expect(open('crew-2')).toEqual([]);
    expect((await restart('--team', 'crew-2')).ok).toBe(true);
    expect(fs.readFileSync(recordOf('a', 'crew'), 'utf8')).not.toContain('of the second');
    expect(fs.readFileSync(recordOf('a', 'crew-2'), 'utf8')).not.toContain('of the first');
    const [first, second] = [open('crew'), open('crew-2')];
    expect(await ask(product, 'stop-agent', 'a', '--team', 'crew')).toMatchObject({ ok: true });
    expect(await ask(product, 'reset-agent', 'a', '--discard-session', '--team', 'crew')).toMatchObject({ ok: true });
    expect([open('crew'), open('crew-2')]).toEqual([first, second]);
    expect(product.rows(`select * from sessions where discarded_at is not null and team = 'crew-2'`)).toEqual([]);
  });

  test('G11 Z17 Z40 Z41 Z42 without a name the only team that is down is meant, whatever else runs; paused agents stay paused', async () => {
    await team('crew', 'a');
    const running = lifeOf(product, 'a');
    const paused = { id: 'p', script: LISTENER, head: 'paused: true\n' };
    await start(product, product.writeTeam('other', [{ id: 'b', script: LISTENER }, paused]));
    await team('third', 'c');
    expect(await restart()).toMatchObject({ ok: false, reason: 'team_ambiguous' });
    await ask(product, 'shutdown', '--team', 'other');
    expect(product.rows(`select agent_id, intent from agents where team = 'other' order by agent_id`)).toEqual([
      { agent_id: 'b', intent: 'stopped' },
      { agent_id: 'p', intent: 'paused' },
    ]);
    const again = await restart();
    expect(again).toMatchObject({ ok: true, team: 'other', agents: [{ agent_id: 'b', restart_mode: 'resumed' }] });
    expect(open('other')).toEqual([{ agent_id: 'b' }]);
    for (const name of ['other', 'third']) await ask(product, 'shutdown', '--team', name);
    expect(await restart()).toMatchObject({
      reason: 'team_ambiguous',
      evidence: { candidates: ['other', 'third'] },
    });
    expect([open('other'), open('third')]).toEqual([[], []]);
    expect(lifeOf(product, 'a')).toEqual(running);
  });

  test('G11 a name that was changed in TEAM.md is no word for another team: nothing is begun anew, and nobody else is touched', async () => {
    await team('shop', 'ann');
    await deliver(product, 'ann', 'remember me');
    await ask(product, 'shutdown');
    await team('store', 'bob');
    const [teams, running] = [product.rows('select * from teams order by team'), lifeOf(product, 'bob')];
    const document = path.join(product.paths.team, 'shop', 'TEAM.md');
    const written = fs.readFileSync(document, 'utf8');
    fs.writeFileSync(document, written.replace('name: shop', 'name: store'));
    const refused = await restart('--team', 'shop');
    expect(refused).toMatchObject({ ok: false, code: 1, reason: 'team_document_invalid' });
    expect(refused.message).toContain(`${document}:2: name: `);
    expect(product.rows('select * from teams order by team')).toEqual(teams);
    expect([open('shop'), open('store')]).toEqual([[], [{ agent_id: 'bob' }]]);
    expect(lifeOf(product, 'bob')).toEqual(running);
    // What it says to type works, for whoever did mean another team.
    fs.writeFileSync(document, written.replace('name: shop', 'name: kiosk'));
    const { message, next } = await restart('--team', 'shop');
    expect(next).toEqual(['team-agent restart --team shop']);
    const [, words = ''] = /: team-agent (quick-start \S+)/.exec(message ?? '') ?? [];
    expect(await ask(product, ...words.split(' '))).toMatchObject({ ok: true, team: 'kiosk' });
    fs.writeFileSync(document, written);
    await ask(product, 'shutdown', '--team', 'kiosk');
    expect(modes(await restart('--team', 'shop'))).toEqual([['ann', 'resumed']]);
  });

  test('D13 G11 G10 with two teams every next command says which one, and works', async () => {
    await team('crew', 'a', 'a1');
    expect((await ask(product, 'quick-start', product.writeTeam('lone', [{ id: 'z' }]))).next).toEqual([
      'team-agent send --team lone z "what is to be done"',
      'team-agent status --team lone',
      'team-agent inbox leader --take --team lone',
      'team-agent shutdown --team lone',
    ]);
    expect(await ask(product, 'send', '--team', 'lone', 'z', 'what is to be done')).toMatchObject({ ok: true });
    await ask(product, 'shutdown', '--team', 'lone');
    expect((await restart('--team', 'lone')).next).toEqual([
      'team-agent status --team lone',
      'team-agent shutdown --team lone',
    ]);
    const running = await ask(product, 'remove-agent', 'a', '--from-spec', '--confirm', '--team', 'crew');
    expect(running.next).toContain('team-agent stop-agent a --team crew');
    fs.rmSync(recordOf('a'));
    const fork = ['fork-agent', 'a', '--as', 'b', '--team', 'crew'];
    expect(await ask(product, ...fork)).toMatchObject({
      reason: 'fork_unavailable',
      next: ['team-agent sessions --team crew'],
    });
    await ask(product, 'stop-agent', 'a', '--team', 'crew');
    expect((await ask(product, ...fork)).next).toEqual([
      'team-agent sessions --team crew',
      'team-agent start-agent a --team crew',
    ]);
    // The project may be named as a word of its own.
    await ask(product, 'shutdown', '--team', 'crew');
    expect(await product.json(['restart', product.workspace, '--team', 'crew'], { cwd: '/' })).toMatchObject({
      ok: true,
    });
  });

  test('G11 a session name that another team has taken meanwhile is refused: neither of the two would end alone', async () => {
    const head = 'session_name: shared\n';
    await start(product, product.writeTeam('crew', [{ id: 'a' }], head));
    await ask(product, 'shutdown');
    await start(product, product.writeTeam('crew-2', [{ id: 'a' }], head));
    const other = open('crew-2');
    expect(await restart('--team', 'crew')).toMatchObject({ ok: false, code: 1, reason: 'session_name_taken' });
    expect([open('crew'), open('crew-2')]).toEqual([[], other]);
  });

  test('G11 after a reboot quick-start begins nothing anew by itself: it names restart', async () => {
    await team('crew', 'a');
    await reboot();
    const lives = () => product.rows('select incarnation from incarnations');
    const before = lives();
    const refused = await ask(product, 'quick-start', path.join(product.paths.team, 'crew'));
    expect(refused).toMatchObject({ ok: false, reason: 'team_already_running' });
    expect(refused.next).toEqual(['team-agent restart --team crew', 'team-agent shutdown --team crew']);
    expect(lives()).toEqual(before);
    expect(product.coordinator()).toBeUndefined();
  });

  test('G11 a conversation that goes on without a variable that it had, or with one more, is told with its name alone', async () => {
    const folder = product.writeTeam('crew', [
      { id: 'a', script: LISTENER, head: 'env: [SERVICE_URL, SERVICE_KEY]\n' },
    ]);
    const with_url = { environment: { SERVICE_URL: 'http://first' } };
    expect(await product.json(['quick-start', folder], with_url)).toMatchObject({ ok: true });
    await deliver(product, 'a', 'remember me');
    await ask(product, 'shutdown');
    const again = await product.run(['restart'], { environment: { SERVICE_KEY: 'CANARY-77' } });
    expect(again.stdout).toMatch(/a goes on without SERVICE_URL/);
    expect(again.stdout).toMatch(/a goes on with SERVICE_KEY/);
    expect(JSON.stringify(product.rows('select * from incarnations'))).not.toMatch(/CANARY|http:..first/);
    await ask(product, 'stop-agent', 'a');
    expect(await product.json(['start-agent', 'a'], { environment: { SERVICE_KEY: 'other' } })).toMatchObject({
      start_mode: 'resumed',
      warnings: [],
    });
  });

  test('G11 Z31 asked for twice at once: one of them restarts, each agent lives once', async () => {
    await team('crew', 'a', 'b');
    await ask(product, 'shutdown');
    const both = await Promise.all([restart(), restart()]);
    expect(both.map(({ ok }) => ok).sort()).toEqual([false, true]);
    expect(both.find(({ ok }) => !ok)).toMatchObject({ reason: 'team_already_running' });
    expect(open()).toEqual([{ agent_id: 'a' }, { agent_id: 'b' }]);
    expect(product.rows('select * from incarnations')).toHaveLength(4);
  });

  test('C02 quick-start twice at once: one of them starts, each agent lives once', async () => {
    const folder = product.writeTeam('crew', [{ id: 'a' }, { id: 'b' }]);
    const both = await Promise.all([ask(product, 'quick-start', folder), ask(product, 'quick-start', folder)]);
    expect(both.map(({ ok }) => ok).sort(), JSON.stringify(both)).toEqual([false, true]);
    expect(open()).toEqual([{ agent_id: 'a' }, { agent_id: 'b' }]);
  });
});

describe('what a person sees', () => {
  test('G16 sessions tells what each agent would go on with, also with nobody there', async () => {
    await team('crew', 'a', 'b');
    await deliver(product, 'a', 'hello');
    const up = await product.json<{ sessions: readonly Record<string, unknown>[] }>(['sessions']);
    expect(up).toMatchObject({ ok: true, code: 0, team: 'crew' });
    expect(up.sessions.map((row) => [row.agent_id, row.provider, row.session_id, row.record])).toEqual(
      product
        .rows('select agent_id, provider, session_id, record from sessions order by agent_id')
        .map((row) => Object.values(row)),
    );
    expect(up.sessions.map(({ interacted }) => interacted)).toEqual([expect.any(Number), 'never']);
    await ask(product, 'shutdown');
    const down = await product.json<{ sessions: readonly Record<string, unknown>[] }>(['sessions']);
    expect(product.coordinator()).toBeUndefined();
    expect(down.sessions).toEqual(up.sessions.map((row) => ({ ...row, intent: 'stopped' })));
  });

  test('G11 G16 the texts fit 80 columns and say what happened; the JSON has the keys of the contract', async () => {
    await team('crew', 'a', 'an-agent-with-a-name-that-goes-on-for-very-long');
    const said = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await product.run(args);
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      for (const line of stdout.split('\n').filter((one) => !one.includes(product.workspace)))
        expect(displayWidth(line)).toBeLessThanOrEqual(80);
      return stdout;
    };
    expect(await said('start-agent', 'a')).toContain('runs already');
    expect(await said('stop-agent', 'a')).toContain('stopped');
    expect(await said('stop-agent', 'a')).toContain('did not run');
    expect(await said('start-agent', 'a')).toContain('goes on with its conversation');
    expect(await said('reset-agent', 'a', '--discard-session')).toContain('begins a new conversation');
    expect(await said('sessions')).toMatch(/\ba\b.*scripted.*never/);
    await ask(product, 'shutdown');
    expect(await said('restart')).toMatch(/crew {2}up again[\s\S]*a .*goes on with its/);
    const keys = async (...args: readonly string[]): Promise<string[]> => Object.keys(await product.json(args)).sort();
    const one = [
      'agent_id',
      'code',
      'goes_on',
      'incarnation',
      'ok',
      'provider',
      'session_id',
      'start_mode',
      'state',
      'status',
    ];
    expect(await keys('start-agent', 'a')).toEqual([...one, 'warnings']);
    expect(await keys('reset-agent', 'a', '--discard-session')).toEqual(
      [...one, 'discarded', 'stopped', 'warnings'].sort(),
    );
    const stop = ['agent_id', 'code', 'goes_on', 'last_view', 'ok', 'state_file', 'status', 'stopped'];
    expect(await keys('stop-agent', 'a')).toEqual(stop);
    await ask(product, 'shutdown');
    const all = ['agents', 'code', 'coordinator', 'leader', 'next', 'ok', 'session_name', 'team', 'warnings'];
    expect(await keys('restart')).toEqual(all);
  });
});
