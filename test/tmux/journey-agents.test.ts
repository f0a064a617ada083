import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { probeProcess, signalProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import { type Answer, ask, deliver, inputsOf, LISTENER, lifeOf, reached, recordOf, start } from './journey.ts';

let product: Product;
beforeEach(() => {
  product = new Product();
});
afterEach(() => product.end());

interface Started extends Answer {
  readonly agent_id: string;
  readonly status: string;
  readonly start_mode: 'noop' | 'resumed' | 'fresh';
  readonly session_id: string;
  readonly incarnation: string;
  readonly stopped: boolean;
  readonly last_view: string | null;
  readonly discarded: number;
}

const run = (...args: readonly string[]): Promise<Started> => product.json<Started>(args);

/** The documents that a team runs by. */
const kept = (agent: string, extension = 'md', team = 'crew'): string =>
  path.join(product.paths.team, team, 'agents', `${agent}.${extension}`);

const livesOf = (agent: string): string[] =>
  product
    .rows(`select incarnation from incarnations where agent_id = '${agent}' and ended_at is null`)
    .map(({ incarnation }) => String(incarnation));

const interacted = (agent: string): unknown =>
  product.rows(`select interacted_at from agents where agent_id = '${agent}'`)[0]?.interacted_at;

/** How often an agent took this text as input, over all its sessions. */
const timesTaken = (agent: string, text: string): number =>
  product
    .rows(`select distinct record from sessions where agent_id = '${agent}'`)
    .map(({ record }) => String(record))
    .filter((record) => fs.existsSync(record))
    .flatMap((record) => fs.readFileSync(record, 'utf8').split('\n'))
    .filter((line) => line.includes('"type":"user"') && line.includes(text)).length;

/** How many commands wait for an answer of the coordinator. */
const callers = (): number =>
  fs
    .readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .filter((line) => / 03 +\d+ /.test(line) && line.endsWith(product.paths.socket)).length;

async function crew(...agents: readonly (string | { id: string; script?: string; head?: string })[]): Promise<string> {
  const folder = product.writeTeam(
    'crew',
    agents.map((agent) => (typeof agent === 'string' ? { id: agent, script: LISTENER } : agent)),
  );
  await start(product, folder);
  return folder;
}

describe('stop one', () => {
  test('G01 Z26 one agent is stopped: the others keep their lives, panes and open offers; a second stop finds nothing to do', async () => {
    const slow = 'otherwise: [{ wait: 1500 }, { say: "late" }]\n';
    await crew({ id: 'a', script: slow }, { id: 'a1', script: slow }, 'b');
    const others = ['a1', 'b'].map((agent) => lifeOf(product, agent));
    const sent = await ask(product, 'send', 'a1', 'a long one');
    await reached(product, sent.message_id);
    const gone = lifeOf(product, 'a');
    const stopped = await run('stop-agent', 'a');
    expect(stopped).toMatchObject({ ok: true, code: 0, agent_id: 'a', status: 'stopped', stopped: true });
    expect(probeProcess(gone.handle.pane.process)).toBe('dead');
    expect(fs.readFileSync(stopped.last_view ?? '', 'utf8')).not.toBe('');
    expect(fs.existsSync(path.join(product.paths.run, 'agents', gone.incarnation))).toBe(false);
    expect(['a1', 'b'].map((agent) => lifeOf(product, agent))).toEqual(others);
    for (const { handle } of others) expect(probeProcess(handle.pane.process)).toBe('alive');
    await deliver(product, 'b', 'you still hear');
    expect(timesTaken('a1', 'a long one')).toBe(1);
    const events = product.rows('select max(seq) as seq from events')[0];
    expect(await run('stop-agent', 'a')).toMatchObject({ ok: true, stopped: false, last_view: null });
    expect(product.rows('select max(seq) as seq from events')[0]).toEqual(events);
    const status = await product.run(['status']);
    expect(status.stdout).toMatch(/\ba\b.*stopped/);
  });

  test('G01 an agent ends though what it showed last cannot be kept, and the log says why', async () => {
    await crew('a', 'b');
    fs.writeFileSync(path.join(product.paths.run, 'last-views'), 'in the way');
    expect(await run('stop-agent', 'a')).toMatchObject({ ok: true, stopped: true, last_view: null });
    expect(livesOf('a')).toEqual([]);
    expect(fs.readFileSync(product.paths.log, 'utf8')).toContain('what a showed last was not kept');
    expect(product.rows('select * from sagas where ended_at is null')).toEqual([]);
  });

  test('G01 nobody tells the leader of an end that somebody asked for', async () => {
    await crew('a', 'b');
    await run('stop-agent', 'a');
    expect(product.rows(`select body from messages where sender = 'team-agent'`)).toEqual([]);
  });

  test('G01 an agent that nobody knows, and the leader, are refused', async () => {
    await crew('a');
    for (const [verb, flags] of [['stop-agent'], ['start-agent'], ['reset-agent', '--discard-session']] as const) {
      for (const name of ['nobody', 'leader']) {
        const refused = await run(verb, name, ...(flags ? [flags] : []));
        expect(refused).toMatchObject({ ok: false, code: 1, reason: 'agent_not_found' });
      }
    }
    expect(livesOf('a')).toHaveLength(1);
  });

  test('G01 an agent may not use these verbs', async () => {
    const verbs = ['start-agent b --force', 'stop-agent b', 'reset-agent b --discard-session', 'restart', 'sessions'];
    const script = `rules:\n${verbs
      .map(
        (verb) =>
          `  - match: '^${verb}$'\n    do:\n      - run: "cd {{workspace}} && ${product.environment.TEAM_AGENT_BIN} --json ${verb}"\n      - report: { summary: "{{output}}" }\n`,
      )
      .join('')}`.replaceAll('undefined', path.resolve('bin/team-agent'));
    await crew({ id: 'a', script }, 'b');
    const b = lifeOf(product, 'b');
    for (const verb of verbs) {
      const answer = await ask(product, 'send', 'a', verb, '--task', 't', '--wait=result', '--timeout', '30');
      const said = String(answer.results[0]?.summary);
      if (verb === 'sessions') expect(said).toMatch(/"ok": ?true/);
      else expect(said).toMatch(/"reason": ?"worker_may_not"/);
    }
    expect(lifeOf(product, 'b')).toEqual(b);
  });
});

describe('mail of a stopped agent', () => {
  test('E12 what is sent to a stopped agent waits, and is delivered once when it starts', async () => {
    await crew('a', 'b');
    await run('stop-agent', 'a');
    const sent = await ask(product, 'send', 'a', 'for later');
    const [held] = await reached(product, sent.message_id, ['queued', 'held']);
    expect(held).toMatchObject({ reason: 'agent_stopped' });
    expect(await run('start-agent', 'a')).toMatchObject({ ok: true, start_mode: 'resumed' });
    await reached(product, sent.message_id);
    expect(timesTaken('a', 'for later')).toBe(1);
  });

  test.each(['protocol', 'paste'])(
    'E12 an offer over %s that was open at the stop is taken once, or said to be unproved; what waited behind it is delivered once',
    async (channel) => {
      await crew({ id: 'a', script: `channel: ${channel}\n${LISTENER}` }, 'b');
      const [life] = recordOf(product, 'a');
      if (life?.type !== 'session') throw new Error('its record begins with something else');
      signalProcess(life, 'SIGSTOP');
      const first = await ask(product, 'send', 'a', 'open at the stop');
      const second = await ask(product, 'send', 'a', 'behind it');
      await reached(product, first.message_id, ['submitted']);
      expect(await run('stop-agent', 'a')).toMatchObject({ ok: true, stopped: true });
      expect(await run('start-agent', 'a')).toMatchObject({ ok: true, start_mode: 'resumed' });
      await reached(product, second.message_id);
      const [open] = await reached(product, first.message_id, ['consumed', 'dead']);
      if (open?.state === 'dead') expect(open).toMatchObject({ reason: 'unproved', attempts: 1 });
      expect(timesTaken('a', 'open at the stop')).toBe(open?.state === 'consumed' ? 1 : 0);
      expect(timesTaken('a', 'behind it')).toBe(1);
      expect(product.rows('select * from offers where settled_at is null')).toEqual([]);
    },
  );
});

describe('start one', () => {
  test('G02 Z24 an agent that lives stays as it is', async () => {
    await crew('a', 'b');
    const before = [lifeOf(product, 'a'), lifeOf(product, 'b')];
    expect(await run('start-agent', 'a')).toMatchObject({
      ok: true,
      agent_id: 'a',
      status: 'running',
      start_mode: 'noop',
      incarnation: before[0]?.incarnation,
    });
    expect([lifeOf(product, 'a'), lifeOf(product, 'b')]).toEqual(before);
  });

  test('G02 one that died is started on its conversation, with its role as it reads now; G04 its history is in the same record', async () => {
    await crew('a', 'b');
    await deliver(product, 'a', 'remember me');
    const { session_id } = product.rows(`select session_id from sessions where agent_id = 'a'`)[0] ?? {};
    const before = lifeOf(product, 'a');
    process.kill(before.handle.process.pid, 'SIGKILL');
    await eventually('its end to be written down', () => livesOf('a').length === 0);
    fs.appendFileSync(kept('a'), 'And sing.\n');
    const started = await run('start-agent', 'a');
    expect(started).toMatchObject({ ok: true, start_mode: 'resumed', session_id });
    expect(started.incarnation).not.toBe(before.incarnation);
    expect(livesOf('a')).toEqual([started.incarnation]);
    await deliver(product, 'a', 'and me');
    expect(inputsOf(product, 'a').map(({ text }) => /remember me|and me/.exec(text)?.[0])).toEqual([
      'remember me',
      'and me',
    ]);
    expect(String(product.rows(`select prompt from agents where agent_id = 'a'`)[0]?.prompt)).toContain('And sing.');
  });

  test('G02 one that its document calls paused is refused; a broken document is refused and changes nothing', async () => {
    await crew('a', 'b');
    await run('stop-agent', 'a');
    const document = fs.readFileSync(kept('a'), 'utf8');
    fs.writeFileSync(kept('a'), document.replace('role: worker\n', 'role: worker\npaused: true\n'));
    expect(await run('start-agent', 'a')).toMatchObject({ ok: false, code: 1, reason: 'agent_paused' });
    fs.writeFileSync(kept('a'), document.replace('role: worker\n', 'nonsense: 1\n'));
    expect(await run('start-agent', 'a')).toMatchObject({ ok: false, code: 1, reason: 'team_document_invalid' });
    expect(livesOf('a')).toEqual([]);
    fs.writeFileSync(kept('a'), document);
    expect(await run('start-agent', 'a')).toMatchObject({ ok: true, start_mode: 'resumed' });
  });

  test('G02 one that does not get ready is ended again, keeps its conversation, and the others go on', async () => {
    await crew('a', 'b');
    await deliver(product, 'a', 'remember me');
    await run('stop-agent', 'a');
    const b = lifeOf(product, 'b');
    const record = String(product.rows(`select record from sessions where agent_id = 'a'`)[0]?.record);
    fs.renameSync(record, `${record}.away`);
    fs.writeFileSync(kept('a', 'yaml'), 'before_greeting: [{ say: "no licence" }, { wait: 300 }, { exit: 7 }]\n');
    const refused = await run('start-agent', 'a', '--allow-fresh');
    expect(refused).toMatchObject({ ok: false, code: 1, reason: 'agents_not_ready' });
    expect(refused.message).toContain('no licence');
    expect(livesOf('a')).toEqual([]);
    expect(lifeOf(product, 'b')).toEqual(b);
    fs.renameSync(`${record}.away`, record);
    fs.writeFileSync(kept('a', 'yaml'), LISTENER);
    expect(interacted('a')).not.toBeNull();
    expect(await run('start-agent', 'a')).toMatchObject({ ok: true, start_mode: 'resumed' });
    await deliver(product, 'a', 'and me');
    expect(fs.readFileSync(record, 'utf8')).toMatch(/remember me[\s\S]*and me/);
  });

  test('G12 a conversation that somebody spoke in and that is gone is not given up unasked; once given up, it is no loss any more', async () => {
    await crew('a', 'b');
    await deliver(product, 'a', 'remember me');
    const life = lifeOf(product, 'a');
    fs.rmSync(String(product.rows(`select record from sessions where agent_id = 'a'`)[0]?.record));
    const refused = await run('start-agent', 'a', '--force');
    expect(refused).toMatchObject({ ok: false, code: 1, reason: 'resume_unavailable' });
    expect(refused.next).toEqual(['team-agent start-agent a --team crew --force --allow-fresh']);
    expect(lifeOf(product, 'a')).toEqual(life);
    expect(await run('start-agent', 'a', '--force', '--allow-fresh')).toMatchObject({ ok: true, start_mode: 'fresh' });
    expect(interacted('a')).toBeNull();
  });

  test('G02 M01 what a conversation had read that is left behind is named to the leader, and owed no more', async () => {
    await crew({ id: 'a', script: 'rules: [{ match: long, do: [{ hang: true }] }]\n' });
    const { message_id } = await deliver(product, 'a', 'long work', '--task', 'long');
    fs.rmSync(String(product.rows(`select record from sessions where agent_id = 'a'`)[0]?.record));
    expect(await run('start-agent', 'a', '--force', '--allow-fresh')).toMatchObject({ ok: true, start_mode: 'fresh' });
    const told = product.rows(`select body from messages where dedupe_key like 'unanswerable:%'`);
    expect(told).toMatchObject([
      { body: expect.stringMatching(new RegExp(`^a began a new conversation.*: ${message_id}, task long `)) },
    ]);
    const given = product.rows('select discarded_at from sessions order by opened_at');
    expect(given.map(({ discarded_at }) => discarded_at !== null)).toEqual([true, false]);
    // Nothing is lost a second time, and the new conversation is gone on with.
    expect(await run('start-agent', 'a', '--force')).toMatchObject({ ok: true });
    expect(product.rows(`select body from messages where dedupe_key like 'unanswerable:%'`)).toEqual(told);
  });

  test('G02 Z25 a resumed agent that ends at its start begins anew only with --allow-fresh', async () => {
    await crew('a', 'b');
    await deliver(product, 'a', 'remember me');
    await run('stop-agent', 'a');
    const ends = `before_greeting: [{ run: 'test -z "$TEAM_AGENT_RESUMES" || kill -9 $PPID' }]\n${LISTENER}`;
    fs.writeFileSync(kept('a', 'yaml'), ends);
    const refused = await run('start-agent', 'a');
    expect(refused).toMatchObject({ ok: false, reason: 'agents_not_ready' });
    expect(refused.next).toContain('team-agent start-agent a --team crew --allow-fresh');
    expect(interacted('a')).not.toBeNull();
    expect(livesOf('a')).toEqual([]);
    expect(await run('start-agent', 'a', '--allow-fresh')).toMatchObject({ ok: true, start_mode: 'fresh' });
    expect(interacted('a')).toBeNull();
    await deliver(product, 'a', 'anew');

    // The same for a whole team: who can go on does.
    await deliver(product, 'b', 'remember me too');
    await run('shutdown');
    const team = await ask(product, 'restart');
    expect(team).toMatchObject({ ok: false, reason: 'agents_not_ready' });
    expect(team.next).toContain('team-agent restart --team crew --allow-fresh');
    expect(await ask(product, 'restart', '--allow-fresh')).toMatchObject({
      ok: true,
      agents: [
        { agent_id: 'a', restart_mode: 'fresh' },
        { agent_id: 'b', restart_mode: 'resumed' },
      ],
    });
  });

  test('G03 Z24 --force replaces the life of one agent, on its conversation', async () => {
    await crew('a', 'a1');
    await deliver(product, 'a', 'remember me');
    const before = { a: lifeOf(product, 'a'), a1: lifeOf(product, 'a1') };
    const started = await run('start-agent', 'a', '--force');
    expect(started).toMatchObject({ ok: true, start_mode: 'resumed' });
    expect(probeProcess(before.a.handle.pane.process)).toBe('dead');
    expect(lifeOf(product, 'a').incarnation).not.toBe(before.a.incarnation);
    expect(lifeOf(product, 'a1')).toEqual(before.a1);
    await deliver(product, 'a', 'still there?');
    expect(timesTaken('a', 'remember me')).toBe(1);
  });

  test('G02 a team that is shut down starts no single agent', async () => {
    await crew('a');
    await run('shutdown');
    const refused = await run('start-agent', 'a');
    expect(refused).toMatchObject({ ok: false, code: 1, reason: 'team_not_running' });
    expect(refused.next?.[0]).toBe('team-agent restart --team crew');
  });
});

describe('reset one', () => {
  test('G05 Z27 without --discard-session nothing happens', async () => {
    await crew('a');
    const before = lifeOf(product, 'a');
    const refused = await run('reset-agent', 'a');
    expect(refused).toMatchObject({ ok: false, code: 1, reason: 'discard_session_required' });
    expect(refused.next).toEqual(['team-agent reset-agent a --team crew --discard-session']);
    expect(lifeOf(product, 'a')).toEqual(before);
  });

  test('G05 Z27 the conversation is given up for good, mail that waits arrives once in the new one, nothing is left to lose', async () => {
    await crew({ id: 'a', script: 'rules: [{ match: first, do: [{ wait: 60000 }] }]\notherwise: [{ say: x }]\n' }, 'b');
    const first = await ask(product, 'send', 'a', 'first');
    await reached(product, first.message_id);
    const waiting = await ask(product, 'send', 'a', 'for the next one');
    const b = lifeOf(product, 'b');
    const old = product.rows(`select session_id, record from sessions where agent_id = 'a'`)[0];
    const reset = await run('reset-agent', 'a', '--discard-session');
    expect(reset).toMatchObject({ ok: true, start_mode: 'fresh', stopped: true, discarded: 1 });
    expect(reset.session_id).not.toBe(old?.session_id);
    await reached(product, waiting.message_id);
    expect(inputsOf(product, 'a').map(({ text }) => text.includes('for the next one'))).toEqual([true]);
    expect(timesTaken('a', 'for the next one')).toBe(1);
    expect(timesTaken('a', 'first')).toBe(1);
    expect(lifeOf(product, 'b')).toEqual(b);
    // Its record lies there as before, and nobody goes on with it.
    expect(fs.existsSync(String(old?.record))).toBe(true);
    const events = product.rows(`select data from events where type = 'session.discarded'`);
    expect(events.map(({ data }) => JSON.parse(String(data)).sessions)).toEqual([[old?.session_id]]);
    await run('stop-agent', 'a');
    expect(await run('start-agent', 'a')).toMatchObject({ start_mode: 'resumed', session_id: reset.session_id });
    fs.rmSync(String(product.rows(`select record from sessions where session_id = '${reset.session_id}'`)[0]?.record));
    await run('stop-agent', 'a');
    expect(await run('start-agent', 'a')).toMatchObject({ ok: false, reason: 'resume_unavailable' });
  });

  test('G05 a reset takes an agent back to never spoken to; one that does not run is reset too', async () => {
    await crew('a');
    await deliver(product, 'a', 'hello');
    expect(interacted('a')).not.toBeNull();
    await run('stop-agent', 'a');
    expect(await run('reset-agent', 'a', '--discard-session')).toMatchObject({
      ok: true,
      stopped: false,
      discarded: 1,
    });
    expect(interacted('a')).toBeNull();
  });

  test('G05 a reset that could not start is refused before anything is given up', async () => {
    await crew('a');
    const before = lifeOf(product, 'a');
    fs.writeFileSync(kept('a', 'yaml'), 'rules: [{ do: [{ dance: 1 }] }]\n');
    expect(await run('reset-agent', 'a', '--discard-session')).toMatchObject({ reason: 'team_document_invalid' });
    expect(lifeOf(product, 'a')).toEqual(before);
    expect(product.rows('select * from sessions where discarded_at is not null')).toEqual([]);
  });
});

describe('at once', () => {
  test('G02 Z31 two starts of one agent: one life', async () => {
    await crew('a', 'b');
    await run('stop-agent', 'a');
    const both = await Promise.all([run('start-agent', 'a'), run('start-agent', 'a')]);
    expect(both.map(({ ok }) => ok)).toEqual([true, true]);
    expect(both.map(({ start_mode }) => start_mode).sort()).toEqual(['noop', 'resumed']);
    expect(livesOf('a')).toHaveLength(1);
    expect(product.rows(`select * from incarnations where agent_id = 'a'`)).toHaveLength(2);
  });

  test('G02 a stop cuts a start short that hangs, and nothing of it is left', async () => {
    await crew('a', 'b');
    await run('stop-agent', 'a');
    fs.writeFileSync(kept('a', 'yaml'), 'before_greeting: [{ hang: true }]\n');
    const starting = run('start-agent', 'a');
    await eventually('its session to be written down', () => product.rows(`select 1 from sessions`).length === 3);
    expect(await run('stop-agent', 'a')).toMatchObject({ ok: true });
    const refused = await starting;
    expect(refused).toMatchObject({ ok: false, reason: 'agents_not_ready' });
    expect(refused.message).toContain('it was stopped before it was ready');
    expect(livesOf('a')).toEqual([]);
    expect(product.rows('select * from sagas where ended_at is null')).toEqual([]);
    await deliver(product, 'b', 'still there?');
  });

  test.each(['quick-start', 'restart'])(
    'G01 G05 G08 during a %s verbs that are refused undo nothing of it, and a stop of one agent waits for it',
    async (verb) => {
      const folder = product.writeTeam('crew', [
        { id: 'a', script: LISTENER },
        {
          id: 'b',
          script: `before_greeting: [{ run: 'until test -e {{workspace}}/go; do sleep 0.05; done' }]\n${LISTENER}`,
        },
      ]);
      const go = path.join(product.workspace, 'go');
      fs.writeFileSync(go, '');
      await start(product, folder);
      await run('shutdown');
      fs.rmSync(go);
      const starting = verb === 'restart' ? run('restart') : run('quick-start', folder, '--fresh');
      await eventually('both to be starting', () => livesOf('b').length === 1);
      const b = livesOf('b');
      for (const [words, reason] of [
        ['stop-agent typo', 'agent_not_found'],
        ['reset-agent typo --discard-session', 'agent_not_found'],
        ['remove-agent a --force', 'from_spec_confirm_required'],
      ] as const)
        expect(await run(...words.split(' '))).toMatchObject({ ok: false, reason });
      const stopping = run('stop-agent', 'a');
      await eventually('the stop to be asked for', () => callers() === 2);
      fs.writeFileSync(go, '');
      expect(await starting).toMatchObject({ ok: true });
      expect(await stopping).toMatchObject({ ok: true, stopped: true });
      expect([livesOf('a'), livesOf('b')]).toEqual([[], b]);
      await deliver(product, 'b', 'you go on');
    },
  );

  test('G14 a shutdown cuts a start short that hangs', async () => {
    await crew('a');
    await run('stop-agent', 'a');
    fs.writeFileSync(kept('a', 'yaml'), 'before_greeting: [{ hang: true }]\n');
    const starting = run('start-agent', 'a');
    await eventually('its session to be written down', () => product.rows(`select 1 from sessions`).length === 2);
    expect(await run('shutdown')).toMatchObject({ ok: true, code: 0 });
    expect((await starting).ok).toBe(false);
    expect(livesOf('a')).toEqual([]);
  });
});
