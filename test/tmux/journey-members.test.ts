import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { probeProcess } from '../../src/kernel/index.ts';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import { type Answer, ask, deliver, inputsOf, LISTENER, lifeOf, reached, recordOf, start } from './journey.ts';

let product: Product;
beforeEach(() => {
  product = new Product();
});
afterEach(() => product.end());

interface Member extends Answer {
  readonly agent_id: string;
  readonly new_agent_id: string;
  readonly source_agent_id: string;
  readonly status: string;
  readonly start_mode: string;
  readonly session_id: string;
  readonly role_file: string;
  readonly role_file_sha: string;
  readonly role_file_removed: boolean | null;
  readonly from_spec: boolean;
  readonly stopped: boolean;
  readonly tasks: readonly string[];
  readonly agents: Readonly<Record<string, { readonly state: string; readonly role: string }>>;
}

const run = (...args: readonly string[]): Promise<Member> => product.json<Member>(args);

const crew = async (...agents: readonly string[]): Promise<void> =>
  start(
    product,
    product.writeTeam(
      'crew',
      agents.map((id) => ({ id, script: LISTENER })),
    ),
  );

/** A role document that lies anywhere in the project. */
function role(name: string, { head = '', script = LISTENER, body = 'Do what you are asked.' } = {}): string {
  const folder = path.join(product.workspace, 'roles');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `${name}.yaml`), script);
  const file = path.join(folder, `${name}.md`);
  fs.writeFileSync(
    file,
    `---\n# ours\nname: ${name}\nrole: helper\nprovider: scripted\ntools: []\nscript: ${name}.yaml\n${head}---\n${body}\n`,
  );
  return file;
}

const members = async (): Promise<string[]> => Object.keys((await run('status')).agents);

const shut = (...flags: readonly string[]) => run('shutdown', ...flags);

/** Every file below `.team/` but what runs, with its bytes, and every row that says who is a member. */
function membership(): unknown {
  const folder = path.join(product.paths.team, 'crew');
  const files = fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('export'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
    .map((file) => [file, fs.readFileSync(file, 'utf8')]);
  return {
    files,
    agents: product.rows(`select * from agents where intent <> 'removed' order by agent_id`),
    changes: product.rows('select * from member_changes order by agent_id'),
    lives: product.rows('select incarnation from incarnations where ended_at is null order by incarnation'),
  };
}

const messagesTo = (recipient: string): string[] =>
  product
    .rows(`select m.body from deliveries d join messages m using (message_id) where d.recipient = '${recipient}'`)
    .map(({ body }) => String(body));

describe('add', () => {
  test('G06 Z23 an agent of a role document becomes a member, with a document of its own that is there over restarts', async () => {
    await crew('a');
    const before = lifeOf(product, 'a');
    const file = role('helper', { head: 'env: [SPECIAL]\n' });
    const added = await product.json<Member>(['add-agent', 'carol', '--role-file', 'roles/helper.md'], {
      environment: { SPECIAL: 'of carol' },
    });
    expect(added).toMatchObject({ ok: true, code: 0, agent_id: 'carol', new_agent_id: 'carol', start_mode: 'fresh' });
    expect(added.role_file).toBe(path.join(product.paths.team, 'crew', 'added', 'carol.md'));
    const text = fs.readFileSync(added.role_file, 'utf8');
    expect(createHash('sha256').update(text).digest('hex')).toBe(added.role_file_sha);
    expect(text).toContain('# ours\nname: carol\n');
    const environ = fs.readFileSync(`/proc/${lifeOf(product, 'carol').handle.pane.process.pid}/environ`, 'utf8');
    expect(environ).toContain('SPECIAL=of carol\0');
    expect(lifeOf(product, 'a')).toEqual(before);
    await deliver(product, 'carol', 'welcome');
    expect(product.rows(`select type from events where type like 'agent.add%'`)).toEqual([
      { type: 'agent.adding' },
      { type: 'agent.added' },
    ]);
    fs.rmSync(path.dirname(file), { recursive: true });

    // Both kinds of document are read anew: what was edited holds.
    await shut();
    for (const edited of [added.role_file, path.join(product.paths.team, 'crew', 'agents', 'a.md')]) {
      fs.writeFileSync(
        edited,
        fs
          .readFileSync(edited, 'utf8')
          .replace(/role: \w+/, 'role: changed')
          .replace(/^script.*\n/m, ''),
      );
    }
    const again = await product.json<Answer & { agents: readonly Member[] }>(['restart']);
    expect(again.agents).toMatchObject([{ agent_id: 'a' }, { agent_id: 'carol', session_id: added.session_id }]);
    expect((await run('status')).agents).toMatchObject({ a: { role: 'changed' }, carol: { role: 'changed' } });
    expect(inputsOf(product, 'carol').map(({ text }) => text.split('\n')[2])).toEqual(['welcome']);
  });

  test.each(['no coordinator runs', 'a coordinator runs'])(
    'G06 a launch hands on the variables that an added agent asks for, while %s',
    async (when) => {
      await crew('a');
      role('helper', { head: 'env: [SPECIAL]\n' });
      const of = (value: string) => ({ environment: { SPECIAL: value } });
      await product.json(['add-agent', 'carol', '--role-file', 'roles/helper.md'], of('the addition'));
      await shut();
      if (when === 'a coordinator runs') expect(await run('coordinator', 'start')).toMatchObject({ ok: true });
      const launched = await product.json<Answer>(['quick-start', 'crew'], of('the launch'));
      expect(launched).toMatchObject({ ok: true });
      const { pid } = lifeOf(product, 'carol').handle.pane.process;
      expect(fs.readFileSync(`/proc/${pid}/environ`, 'utf8')).toContain('SPECIAL=the launch\0');
    },
  );

  test('G07 Z28 Z10 whatever stands in the way of an addition leaves every byte and every row as it was', async () => {
    await crew('a');
    const before = membership();
    const refused = async (reason: string, id: string, file: string, ...flags: string[]) => {
      const answer = await run('add-agent', id, '--role-file', file, ...flags);
      expect(answer).toMatchObject({ ok: false, code: 1, reason });
      expect(membership()).toEqual(before);
      return answer;
    };
    await refused('role_file_missing', 'b', 'roles/nothing.md');
    await refused('agent_exists', 'a', role('helper'));
    for (const id of ['leader', '../b', 'a b', '*', 'x'.repeat(65)])
      await refused('agent_id_invalid', id, role('helper'));
    const broken = await refused('team_document_invalid', 'b', role('broken', { head: 'colour: red\n' }));
    expect(broken.message).toMatch(/roles\/broken\.md:8: colour: /);
    const file = path.join(product.workspace, 'roles', 'broken.md');
    expect(broken.next).toEqual([`team-agent add-agent b --role-file ${file} --team crew`]);
    const resting = role('resting', { head: 'paused: true\n' });
    expect((await refused('agent_paused', 'b', resting)).message).toContain(resting);
    await refused('agent_paused', 'b', resting, '--dry-run');
    await refused('dangerous_needs_yes', 'b', role('bold', { head: 'permission_mode: bypass\n' }));
    expect((await refused('team_document_invalid', 'b', role('odd', { script: 'rules: 7\n' }))).next).not.toEqual([]);
    await refused('agents_not_ready', 'b', role('dying', { script: 'on_start: [{ exit: 3 }]\n' }));
    expect(await members()).toEqual(['a']);
    // Its name is free: what could not be becomes what can.
    expect(await run('add-agent', 'b', '--role-file', role('helper'))).toMatchObject({ ok: true, agent_id: 'b' });
  });

  test('G06 G07 Z28 what a person wrote where the document would be kept is neither overwritten nor removed', async () => {
    await crew('a');
    const { role_file } = await run('add-agent', 'b', '--role-file', role('helper'));
    fs.appendFileSync(role_file, 'And one thing more.\n');
    expect(await run('remove-agent', 'b', '--force')).toMatchObject({ ok: true, role_file_removed: false });
    const theirs = fs.readFileSync(role_file, 'utf8');
    const before = membership();
    const refused = await run('add-agent', 'b', '--role-file', role('helper'));
    expect(refused).toMatchObject({ ok: false, code: 1, reason: 'team_document_invalid' });
    expect(membership()).toEqual(before);
    execFileSync('sh', ['-c', refused.next?.[0] ?? '']);
    const aside = path.join(path.dirname(role_file), 'b.before.md');
    expect(fs.readFileSync(aside, 'utf8')).toBe(theirs);
    expect(await run('add-agent', 'b', '--role-file', role('helper'))).toMatchObject({ ok: true, role_file });
    expect(await run('remove-agent', 'b', '--force')).toMatchObject({ ok: true, role_file_removed: true });
    expect(fs.readFileSync(aside, 'utf8')).toBe(theirs);
    fs.writeFileSync(role_file, 'theirs again');
    const again = await run('add-agent', 'b', '--role-file', role('helper'));
    expect(again.next).toEqual([`mv -n ${role_file} ${role_file.replace('b.md', 'b.before-2.md')}`]);
    fs.rmSync(role_file);

    // One that stands there already, word for word, is not ours either: not when the start fails, and not at the end.
    fs.writeFileSync(path.join(product.workspace, 'roles', 'helper.yaml'), 'on_start: [{ exit: 3 }]\n');
    const own = path.join(path.dirname(role_file), 'c.md');
    fs.writeFileSync(own, theirs.replace('name: b', 'name: c'));
    const text = fs.readFileSync(own, 'utf8');
    expect(await run('add-agent', 'c', '--role-file', own)).toMatchObject({ reason: 'agents_not_ready' });
    expect(fs.readFileSync(own, 'utf8')).toBe(text);
    role('helper');
    expect(await run('add-agent', 'c', '--role-file', own)).toMatchObject({ ok: true, role_file: own });
    expect(await run('remove-agent', 'c', '--force')).toMatchObject({ ok: true, role_file_removed: false });
    expect(fs.readFileSync(own, 'utf8')).toBe(text);
  });

  test('G06 G10 N06 what a start warns of is told of who is added and of who is forked too', async () => {
    await start(product, product.writeTeam('crew', [{ id: 'a', script: LISTENER }], 'fast: true\n'));
    await deliver(product, 'a', 'remember');
    const warned = (id: string) => ({ ok: true, warnings: [expect.stringContaining(`changes nothing for ${id}`)] });
    expect(await run('add-agent', 'b', '--role-file', role('helper'))).toMatchObject(warned('b'));
    expect(await run('reset-agent', 'b', '--discard-session')).toMatchObject(warned('b'));
    const forked = await product.run(['fork-agent', 'a', '--as', 'c']);
    expect(forked.stdout).toContain('changes nothing for c');
  });

  test('G06 two additions of one name at the same time: one of them is a member, the other is told', async () => {
    await crew('a');
    const file = role('helper');
    const both = await Promise.all([1, 2].map(() => run('add-agent', 'b', '--role-file', file)));
    expect(both.map(({ ok }) => ok).sort()).toEqual([false, true]);
    expect(both.find(({ ok }) => !ok)).toMatchObject({ reason: 'agent_exists' });
    expect(product.rows(`select 1 from incarnations where agent_id = 'b'`)).toHaveLength(1);
  });
});

describe('remove', () => {
  test('G08 an added agent is gone: its life, its rows in every view, its document, its mail, its name', async () => {
    await crew('a');
    const added = await run('add-agent', 'b', '--role-file', role('helper'));
    await deliver(product, 'b', 'before');
    const life = lifeOf(product, 'b');
    await run('stop-agent', 'a');
    const mail = await ask(product, 'send', 'b', 'in an hour', '--in', '3600');
    expect(await run('remove-agent', 'b')).toMatchObject({ ok: false, code: 1, reason: 'force_required' });
    expect(probeProcess(life.handle.pane.process)).toBe('alive');
    const removed = await run('remove-agent', 'b', '--force');
    expect(removed).toMatchObject({
      ok: true,
      status: 'removed',
      from_spec: false,
      stopped: true,
      role_file_removed: true,
    });
    expect(probeProcess(life.handle.pane.process)).toBe('dead');
    expect(fs.existsSync(path.dirname(added.role_file))).toBe(false);
    expect(await members()).toEqual(['a']);
    for (const verb of ['sessions', 'deliveries', 'collect']) expect((await product.run([verb])).code).toBe(0);
    expect(JSON.stringify(await run('sessions'))).not.toContain('"b"');
    expect(await reached(product, mail.message_id, ['dead'])).toMatchObject([{ reason: 'recipient_removed' }]);
    await eventually('the leader to be told', () => messagesTo('leader').some((body) => body.includes('removed')));
    expect(await run('send', 'b', 'hello?')).toMatchObject({ ok: false, reason: 'target_not_in_team' });
    for (const verb of ['start-agent', 'stop-agent', 'remove-agent'])
      expect(await run(verb, 'b')).toMatchObject({ ok: false, reason: 'agent_not_found' });
  });

  test('G08 who comes back under the name of a removed one is somebody else: no conversation, no old mail', async () => {
    await crew('a');
    const first = await run('add-agent', 'b', '--role-file', role('helper'));
    await deliver(product, 'b', 'a secret');
    await run('stop-agent', 'b');
    const old = await ask(product, 'send', 'b', 'for the first');
    expect(await run('remove-agent', 'b')).toMatchObject({ ok: true, stopped: false });
    const second = await run('add-agent', 'b', '--role-file', role('helper'));
    expect(second).toMatchObject({ ok: true, start_mode: 'fresh' });
    expect(second.session_id).not.toBe(first.session_id);
    await deliver(product, 'b', 'for the second');
    expect(inputsOf(product, 'b').map(({ text }) => text.split('\n')[2])).toEqual(['for the second']);
    expect(await reached(product, old.message_id, ['dead'])).toMatchObject([{ reason: 'recipient_removed' }]);
    expect(product.rows(`select generation from agents where agent_id = 'b' order by 1`)).toEqual([
      { generation: 1 },
      { generation: 2 },
    ]);
    await shut();
    expect(await product.json<{ agents: readonly Member[] }>(['restart'])).toMatchObject({
      agents: [{ agent_id: 'a' }, { agent_id: 'b', restart_mode: 'resumed', session_id: second.session_id }],
    });
  });

  test('G09 Z23 Z29 an agent of the documents is removed only by somebody who says so, and stays so over restarts; its document stays', async () => {
    await crew('a', 'b', 'c');
    const document = path.join(product.paths.team, 'crew', 'agents', 'b.md');
    const bytes = fs.readFileSync(document);
    const before = membership();
    for (const flags of [[], ['--force'], ['--from-spec', '--force'], ['--confirm', '--force']]) {
      const refused = await run('remove-agent', 'b', ...flags);
      expect(refused).toMatchObject({ ok: false, code: 1, reason: 'from_spec_confirm_required' });
      expect(membership()).toEqual(before);
    }
    const [next] = (await run('remove-agent', 'b')).next ?? [];
    const removed = await run(...(next ?? '').split(' ').slice(1));
    expect(removed).toMatchObject({ ok: true, from_spec: true, stopped: true, role_file_removed: null });
    expect(fs.readFileSync(document)).toEqual(bytes);
    await shut();
    expect(
      (await product.json<{ agents: readonly Member[] }>(['restart'])).agents.map(({ agent_id }) => agent_id),
    ).toEqual(['a', 'c']);
    expect(await members()).toEqual(['a', 'c']);
    await shut();
    await start(product, path.join(product.paths.team, 'crew'), '--fresh');
    expect(await members()).toEqual(['a', 'c']);
    // The name is free, and whoever gets it is not the one of the documents.
    expect(await run('add-agent', 'b', '--role-file', role('helper'))).toMatchObject({ ok: true });
    expect((await run('status')).agents.b).toMatchObject({ role: 'helper' });
    expect(await run('remove-agent', 'b', '--force')).toMatchObject({ ok: true, from_spec: true });
    expect(await members()).toEqual(['a', 'c']);
  });

  test('G06 G11 TEAM.md may name who was added, for every start; what is wrong with it is mended for the verb that asked', async () => {
    const folder = product.writeTeam('crew', [
      { id: 'a', script: LISTENER },
      { id: 'b', script: LISTENER },
    ]);
    await start(product, folder);
    const home = path.join(product.paths.team, 'crew');
    const head = path.join(home, 'TEAM.md');
    expect(await run('add-agent', 'carl', '--role-file', role('helper'))).toMatchObject({ ok: true });
    expect(await run('remove-agent', 'b', '--from-spec', '--confirm', '--force')).toMatchObject({ from_spec: true });
    for (const file of [head, path.join(folder, 'TEAM.md')])
      fs.writeFileSync(file, '---\nname: crew\nrouting: { default_assignee: carl }\n---\nA team.\n');
    const validated = await product.json<{ agents: readonly string[] }>(['validate', home]);
    expect(validated).toMatchObject({ ok: true, agents: ['a', 'carl'] });
    const spec = path.join(product.workspace, 'crew.yaml');
    expect(await run('compile', '--team', 'crew', '--out', spec)).toMatchObject({ ok: true });
    await shut();
    expect(await product.json(['validate', folder])).toMatchObject({ ok: true, agents: validated.agents });
    expect(await run('validate', spec)).toMatchObject({ ok: true });
    // The documents of before lie outside: they are kept already, that of somebody removed too.
    for (const place of [home, folder]) expect(await run('preflight', place)).toMatchObject({ ok: true, team: 'crew' });
    await start(product, home, '--fresh');
    expect(await members()).toEqual(['a', 'carl']);

    const wrong = fs.readFileSync(head, 'utf8').replace('name: crew', 'name: crew\nnotify: loud');
    const sound = fs.readFileSync(head, 'utf8');
    fs.writeFileSync(head, wrong);
    expect((await run('start-agent', 'a', '--force')).next).toEqual(['team-agent start-agent a --team crew --force']);
    expect((await run('fork-agent', 'a', '--as', 'd')).next).toEqual(['team-agent fork-agent a --as d --team crew']);
    await shut();
    expect((await run('restart', '--allow-fresh')).next).toEqual(['team-agent restart --team crew --allow-fresh']);
    expect((await run('quick-start', home, '--fresh')).next).toEqual([`team-agent quick-start ${home} --fresh`]);
    fs.writeFileSync(head, sound);
    expect(await run('remove-agent', 'carl')).toMatchObject({ ok: true, from_spec: false });
  });

  test('G09 the last agent is not removed; a document that somebody edited stays; tasks that still name it are told', async () => {
    await crew('a');
    expect(await run('remove-agent', 'a', '--from-spec', '--confirm', '--force')).toMatchObject({
      reason: 'last_agent',
    });
    const { role_file } = await run('add-agent', 'b', '--role-file', role('helper'));
    await run('send', 'b', 'a job', '--task', 'job');
    fs.appendFileSync(role_file, 'And one thing more.\n');
    const removed = await run('remove-agent', 'b', '--force');
    expect(removed).toMatchObject({ ok: true, role_file_removed: false, tasks: ['job'] });
    expect(fs.readFileSync(role_file, 'utf8')).toContain('one thing more');
  });

  test.each([
    ['G09', 'remove-agent', '--from-spec', '--confirm', '--force'],
    ['G05', 'reset-agent', '--discard-session'],
  ])('%s %s: nobody waits for what it had read, and the leader is told what that was', async (_, verb, ...flags) => {
    const slow = 'rules: [{ match: long, do: [{ hang: true }] }]\n';
    const docs = product.writeTeam('crew', [{ id: 'a' }, { id: 'b', script: slow }], 'notify: quiet\n');
    await start(product, docs);
    const { message_id } = await deliver(product, 'b', 'long work', '--task', 'long');
    await ask(product, 'send', 'a', 'short work', '--wait=result');
    const notices = () =>
      product.rows(
        `select d.state, m.body from deliveries d join messages m using (message_id)
          where m.sender = 'team-agent' and d.recipient = 'leader' order by d.seq`,
      );
    expect(notices()).toMatchObject([{ state: 'held', body: expect.stringContaining('success') }]);
    expect(await run(verb, 'b', ...flags)).toMatchObject({ ok: true });
    expect(notices()).toMatchObject([
      { state: 'queued', body: expect.stringContaining('success') },
      { state: 'queued', body: expect.stringMatching(new RegExp(`^b .* not answered: ${message_id}, task long `)) },
    ]);
  });

  test('G08 an agent whose document is gone is no member after a restart, and has its conversation when it is back', async () => {
    await crew('a', 'b');
    await deliver(product, 'b', 'remember');
    const session = product.rows(`select session_id from sessions where agent_id = 'b'`)[0]?.session_id;
    await shut();
    const document = path.join(product.paths.team, 'crew', 'agents', 'b.md');
    const text = fs.readFileSync(document);
    fs.rmSync(document);
    // A restart that fails changes nothing: who was a member still is.
    const script = path.join(product.paths.team, 'crew', 'agents', 'a.yaml');
    fs.writeFileSync(script, 'before_greeting: [{ exit: 3 }]\n');
    expect(await run('restart')).toMatchObject({ ok: false, reason: 'agents_not_ready' });
    expect(await members()).toEqual(['a', 'b']);
    fs.writeFileSync(script, LISTENER);
    expect(await run('restart')).toMatchObject({ ok: true });
    expect(await members()).toEqual(['a']);
    await shut();
    fs.writeFileSync(document, text);
    expect(await product.json<{ agents: readonly Member[] }>(['restart'])).toMatchObject({
      agents: [{ agent_id: 'a' }, { agent_id: 'b', restart_mode: 'resumed', session_id: session }],
    });
  });
});

describe('fork', () => {
  test('G10 N05 Z23 a fork knows what its source knows, under a session of its own; its source goes on', async () => {
    await crew('a');
    await deliver(product, 'a', 'the word is fig');
    const source = lifeOf(product, 'a');
    const forked = await run('fork-agent', 'a', '--as', 'b', '--label', 'second reader');
    expect(forked).toMatchObject({ ok: true, code: 0, source_agent_id: 'a', new_agent_id: 'b', start_mode: 'forked' });
    expect(lifeOf(product, 'a')).toEqual(source);
    expect(forked.session_id).not.toBe(source.handle.session);
    expect((await run('status')).agents.b).toMatchObject({ role: 'second reader' });
    await deliver(product, 'b', 'only for b');
    await deliver(product, 'a', 'only for a');
    const heard = (agent: string) => inputsOf(product, agent).map(({ text }) => text.split('\n')[2]);
    expect(recordOf(product, 'b')[0]).toMatchObject({ type: 'session', forked_from: source.handle.session });
    expect(heard('b')).toEqual(['only for b']);
    expect(heard('a')).toEqual(['the word is fig', 'only for a']);
    expect(product.rows(`select type, data from events where type = 'agent.forked'`)).toHaveLength(1);
    // It has as much to lose as its source had.
    expect(product.rows(`select interacted_at from agents where agent_id = 'b'`)[0]?.interacted_at).not.toBeNull();
    await shut();
    expect(await product.json<{ agents: readonly Member[] }>(['restart'])).toMatchObject({
      agents: [
        { agent_id: 'a', session_id: source.handle.session },
        { agent_id: 'b', session_id: forked.session_id },
      ],
    });
  });

  test('G10 Z10 Z30 what cannot be forked is refused, a fork that does not get ready is undone, and nothing is changed', async () => {
    await crew('a', 'c');
    const before = membership();
    const refused = async (reason: string, source: string, id: string) => {
      expect(await run('fork-agent', source, '--as', id)).toMatchObject({ ok: false, code: 1, reason });
      expect(membership()).toEqual(before);
    };
    await refused('agent_not_found', 'nobody', 'b');
    await refused('agent_not_found', 'leader', 'b');
    await refused('agent_exists', 'a', 'c');
    await refused('agent_exists', 'a', 'a');
    await refused('agent_id_invalid', 'a', 'leader');
    // Its script ends every life that was forked.
    const script = path.join(product.paths.team, 'crew', 'agents', 'a.yaml');
    fs.writeFileSync(script, `before_greeting: [{ run: 'test -z "$TEAM_AGENT_FORKS" || kill -9 $PPID' }]\n${LISTENER}`);
    await deliver(product, 'a', 'something to fork');
    const spoken = membership();
    expect(await run('fork-agent', 'a', '--as', 'b')).toMatchObject({ ok: false, reason: 'agents_not_ready' });
    expect(membership()).toEqual(spoken);
    await run('reset-agent', 'a', '--discard-session');
    await run('stop-agent', 'a');
    fs.rmSync(
      String(product.rows(`select record from sessions where agent_id = 'a' and discarded_at is null`)[0]?.record),
    );
    expect(await run('fork-agent', 'a', '--as', 'b')).toMatchObject({ ok: false, reason: 'fork_unavailable' });
    expect(await members()).toEqual(['a', 'c']);
  });
});

test('G06 G08 G10 an agent may use none of these verbs, and a team that is shut down takes nobody in', async () => {
  const verbs = ['add-agent x --role-file x.md', 'fork-agent b --as x', 'remove-agent b --from-spec --confirm --force'];
  const script = `rules:\n${verbs
    .map(
      (verb) =>
        `  - match: '^${verb}$'\n    do:\n      - run: "cd {{workspace}} && ${path.resolve('bin/team-agent')} --json ${verb}"\n      - report: { summary: "{{output}}" }\n`,
    )
    .join('')}`;
  await start(product, product.writeTeam('crew', [{ id: 'a', script }, { id: 'b' }]));
  for (const verb of verbs) {
    const answer = await ask(product, 'send', 'a', verb, '--task', 't', '--wait=result', '--timeout', '30');
    expect(String(answer.results[0]?.summary)).toMatch(/"reason": ?"worker_may_not"/);
  }
  await shut();
  for (const verb of [
    ['add-agent', 'x', '--role-file', role('helper')],
    ['fork-agent', 'a', '--as', 'x'],
  ])
    expect(await run(...verb)).toMatchObject({ ok: false, reason: 'team_not_running' });
  expect(await run('remove-agent', 'b', '--from-spec', '--confirm')).toMatchObject({ ok: true, stopped: false });
  expect(await product.json<{ agents: readonly Member[] }>(['restart'])).toMatchObject({ agents: [{ agent_id: 'a' }] });
});
