import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { Product } from '../support/product.ts';
import { LISTENER, lifeOf } from './journey.ts';

let product: Product;
beforeEach(() => {
  product = new Product();
});
afterEach(() => product.end());

interface Valid {
  readonly ok: boolean;
  readonly reason?: string;
  readonly type?: string;
  readonly workspace?: string;
  readonly team?: string;
  readonly agents?: readonly string[];
  readonly out?: string;
  readonly files?: readonly string[];
  readonly kept?: readonly string[];
  readonly next?: readonly string[];
  readonly evidence?: {
    readonly problems?: readonly { readonly line: number; readonly key: string }[];
    readonly candidates?: readonly string[];
  };
}

const json = (...args: string[]) => product.json<Valid>(args);

/** Every file of the project with its text and its time. */
function everything(): Record<string, string> {
  const files = fs.readdirSync(product.workspace, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    files.map((name) => {
      const file = path.join(product.workspace, name);
      const { mtimeMs, ctimeMs } = fs.statSync(file);
      return [name, `${mtimeMs} ${ctimeMs} ${fs.statSync(file).isFile() ? fs.readFileSync(file, 'utf8') : ''}`];
    }),
  );
}

const FORCED = "team-agent init --team 'Web shop' --force";

test('B01 init makes documents that are valid and start; what is there stays unless it is forced', async () => {
  const made = await json('init', '--team', 'Web shop');
  const folder = path.join(product.workspace, '.team', 'Web-shop');
  const files = [path.join(folder, 'TEAM.md'), path.join(folder, 'agents', 'builder.md')];
  expect(made).toMatchObject({ ok: true, code: 0, team: 'Web-shop', files });
  for (const file of files) expect(fs.readFileSync(file, 'utf8')).toMatch(/^# /m);
  expect(await json('validate')).toMatchObject({ ok: true, team: 'Web-shop', agents: ['builder'] });
  fs.appendFileSync(files[0] ?? '', 'mine\n');
  fs.writeFileSync(
    path.join(folder, 'agents', 'other.md'),
    fs.readFileSync(files[1] ?? '', 'utf8').replace('builder', 'zoe'),
  );
  const before = everything();
  const refused = await json('init', '--team', 'Web shop');
  expect(refused).toMatchObject({ ok: false, code: 1, next: expect.arrayContaining([FORCED]) });
  expect(everything()).toEqual(before);
  const kept = `${files[0]}.old`;
  expect(await json('init', '--team', 'Web shop', '--force')).toMatchObject({ ok: true, kept: [kept] });
  expect(fs.readFileSync(files[0] ?? '', 'utf8')).not.toMatch(/mine/);
  fs.appendFileSync(files[0] ?? '', 'newer\n');
  expect(await json('init', '--team', 'Web shop', '--force')).toMatchObject({ ok: true, kept: [`${kept}2`] });
  expect(fs.readFileSync(kept, 'utf8')).toMatch(/^mine$/m);
  expect(fs.readFileSync(`${kept}2`, 'utf8')).toMatch(/^newer$/m);
  expect(await json('validate')).toMatchObject({ agents: ['builder', 'zoe'] });
  expect(await product.run(['quick-start', folder])).toMatchObject({ code: 0, stderr: '' });
});

test('B03 validate needs no team and no coordinator, tells every problem, and changes nothing', async () => {
  const folder = product.writeTeam('crew', [{ id: 'ann' }, { id: 'bob', head: 'colour: red\n' }], 'notify: loud\n');
  const before = everything();
  const refusal = await json('validate', 'docs/crew');
  expect(refusal).toMatchObject({
    ok: false,
    code: 1,
    reason: 'team_document_invalid',
    next: [`team-agent validate ${folder}`],
    evidence: {
      problems: [
        { file: path.join(folder, 'TEAM.md'), line: 3, key: 'notify' },
        { file: path.join(folder, 'agents', 'bob.md'), line: 6, key: 'colour' },
      ],
    },
  });
  const text = await product.run(['validate', 'docs/crew']);
  expect(text.stderr.split('\n').slice(-3, -1)).toEqual([
    'reason: team_document_invalid',
    `next: team-agent validate ${folder}`,
  ]);
  expect(everything()).toEqual(before);
  product.writeTeam('crew', [{ id: 'ann' }, { id: 'bob' }]);
  expect(await json('validate', 'docs/crew')).toMatchObject({
    ok: true,
    type: 'team_dir',
    workspace: product.workspace,
    team: 'crew',
    agents: ['ann', 'bob'],
  });
  expect(fs.existsSync(product.paths.team)).toBe(false);
});

test('B04 validate tells an id twice, an unknown assignee, an unknown tool and a round of tasks, all at once', async () => {
  const tasks = [
    '{id: a, title: A, deps: [b]}',
    '{id: b, title: B, deps: [a], assignee: bobb}',
    '{id: a, title: C}',
  ].map((task) => `  - ${task}\n`);
  const agents = [{ id: 'ann' }, { id: 'bob', head: 'env: [TMUX]\n' }];
  const folder = product.writeTeam('crew', agents, `colour: red\ntasks:\n${tasks.join('')}`);
  const bob = path.join(folder, 'agents', 'bob.md');
  fs.writeFileSync(bob, fs.readFileSync(bob, 'utf8').replace('tools: []', 'tools: [fs_raed]'));
  const { evidence } = await json('validate', folder);
  const told = (evidence?.problems ?? []).map(({ line, key }) => `${line} ${key}`);
  expect(told.sort()).toEqual([
    '3 colour',
    '5 tasks.0.deps',
    '5 tools.0',
    '6 env.0',
    '6 tasks.1.assignee',
    '7 tasks.2.id',
  ]);
});

test('B03 validate without a word is about the team of this project, or asks which', async () => {
  expect(await json('validate')).toMatchObject({ ok: false, code: 1, reason: 'not_a_team' });
  await json('init', '--team', 'one');
  await json('init', '--team', 'two');
  const before = everything();
  expect(await json('validate')).toMatchObject({
    ok: false,
    reason: 'team_ambiguous',
    evidence: { candidates: ['one', 'two'] },
    next: ['team-agent validate --team one', 'team-agent validate --team two'],
  });
  expect(await json('validate', '--team', 'two')).toMatchObject({ ok: true, team: 'two' });
  expect(await json('validate', 'nowhere')).toMatchObject({ ok: false, reason: 'team_directory_missing' });
  expect(everything()).toEqual(before);
});

test('B02 B03 a team is named alike for every command: by its folder, its id or its name', async () => {
  const made = await json('init', '--team', 'Web Shop');
  const home = path.join(product.workspace, '.team');
  fs.renameSync(path.join(home, made.team ?? ''), path.join(home, 'current'));
  for (const word of ['current', 'Web-Shop', 'Web Shop']) {
    expect(await json('validate', '--team', word)).toMatchObject({ ok: true, team: 'Web-Shop' });
    expect(await json('compile', '--team', word)).toMatchObject({ ok: true, team_dir: path.join(home, 'current') });
    expect(await json('start', '--team', word, '--dry-run')).toMatchObject({ ok: true, team: 'Web-Shop' });
  }
  expect(await json('validate', '--team', 'shop')).toMatchObject({
    reason: 'team_not_found',
    next: ['team-agent validate --team Web-Shop'],
  });
  fs.cpSync(path.join(home, 'current'), path.join(home, 'Web-Shop'), { recursive: true });
  const ways = ['.team/Web-Shop', '.team/current'];
  const twice = await json('start', '--team', 'Web Shop');
  expect(twice).toMatchObject({ reason: 'team_ambiguous', next: ways.map((way) => `team-agent start --team ${way}`) });
  for (const way of ways) expect(await json('validate', '--team', way)).toMatchObject({ ok: true });
  expect(await json('start', '--team', 'nobody')).toMatchObject({ reason: 'team_directory_missing' });
});

test('B02 --team-id is the id of the team that is started, or nothing is', async () => {
  const named = product.writeTeam('crew', [{ id: 'ann' }]);
  const refused = await json('quick-start', named, '--team-id', 'shop2');
  expect(refused).toMatchObject({ code: 2, reason: 'usage', next: [`team-agent quick-start ${named}`] });
  const loose = path.join(named, 'agents');
  const both = await json('quick-start', loose, '--name', 'Web Shop', '--team-id', 'shop2');
  const next = [`team-agent quick-start ${loose} --name 'Web Shop'`, `team-agent quick-start ${loose} --team-id shop2`];
  expect(both).toMatchObject({ code: 2, reason: 'usage', next });
  expect(fs.existsSync(path.join(product.workspace, '.team'))).toBe(false);
  for (const words of [
    ['--team-id', 'shop2'],
    ['--name', 'shop2'],
    ['--name', 'shop2', '--team-id', 'shop2'],
  ])
    expect(await json('quick-start', loose, ...words, '--dry-run')).toMatchObject({ ok: true, team: 'shop2' });
  expect(await json('quick-start', named, '--team-id', 'crew', '--dry-run')).toMatchObject({ ok: true, team: 'crew' });
});

test('B01 B02 a team is compiled into a spec; the spec starts the same team, which is kept as documents', async () => {
  const folder = product.writeTeam('crew', [{ id: 'ann', script: LISTENER }, { id: 'bob' }]);
  const out = path.join(product.workspace, 'specs', 'crew.yaml');
  expect(await json('compile', '--team', 'docs/crew', '--out', 'specs/crew.yaml')).toMatchObject({
    ok: false,
    code: 2,
  });
  fs.mkdirSync(path.dirname(out));
  const compiled = await json('compile', '--team', 'docs/crew', '--out', 'specs/crew.yaml');
  expect(compiled).toMatchObject({ ok: true, out, agents: ['ann', 'bob'] });
  expect(await json('validate', out)).toMatchObject({
    ok: true,
    type: 'spec',
    workspace: product.workspace,
    team: 'crew',
  });
  const onMine = await json('compile', '--team', 'docs/crew', '--out', 'docs/crew/TEAM.md');
  expect(onMine).toMatchObject({ ok: false, next: ['team-agent compile --team docs/crew --out team.spec.yaml'] });
  const services = path.join(product.workspace, 'team.spec.yaml');
  fs.writeFileSync(services, 'version: 1\nservices:\n  web: {image: shop}\n');
  expect(await json('compile', '--team', 'docs/crew')).toMatchObject({
    ok: false,
    next: ['team-agent compile --team docs/crew --out crew.spec.yaml'],
  });
  expect(fs.readFileSync(services, 'utf8')).toMatch(/^services:$/m);
  expect(await json('compile', '--team', 'docs/crew', '--out', 'specs/crew.yaml')).toMatchObject({ ok: true, out });
  expect(await json('quick-start', out, '--yes')).toMatchObject({ ok: true, team: 'crew' });
  const kept = path.join(product.workspace, '.team', 'crew');
  expect(fs.readdirSync(path.join(kept, 'agents')).sort()).toEqual(['ann.md', 'ann.yaml', 'bob.md']);
  fs.rmSync(folder, { recursive: true });
  fs.rmSync(out);
  const spec = path.join(kept, 'export', 'team.spec.yaml');
  await eventually('the spec to be exported', () => fs.existsSync(spec));
  expect(await json('validate', spec)).toMatchObject({ ok: true, agents: ['ann', 'bob'] });
  await product.run(['shutdown']);
  expect(await json('restart')).toMatchObject({ ok: true });
  expect(lifeOf(product, 'bob').incarnation).toBeTruthy();
});

test('B03 B06 validate and compile judge a profile as a start does, by the names that its CLI gives to values', async () => {
  const folder = product.writeTeam('crew', [], 'default_model: opus\n');
  const document = path.join(folder, 'agents', 'ann.md');
  const head = 'name: ann\nrole: r\nprovider: claude\ntools: []\nauth_mode: compatible_api\nprofile: kimi\n';
  fs.mkdirSync(path.join(folder, 'profiles'));
  const profile = 'AUTH_MODE=compatible_api\nBASE_URL=http://127.0.0.1:9\nAPI_KEY=x\nANTHROPIC_MODEL=kimi-k2\n';
  fs.writeFileSync(path.join(folder, 'profiles', 'kimi.env'), profile, { mode: 0o600 });
  fs.writeFileSync(document, `---\n${head}model: other\n---\nWork.\n`);
  for (const verb of ['validate', 'preflight']) {
    const refused = await product.run([verb, folder]);
    expect(refused.stdout + refused.stderr).toMatch(/"other" is not the model of the profile kimi, "kimi-k2"/);
  }
  fs.writeFileSync(document, `---\n${head}---\nWork.\n`);
  expect(await json('validate', folder)).toMatchObject({ ok: true });
  const out = path.join(folder, 'crew.spec.yaml');
  expect(await json('compile', '--team', 'docs/crew', '--out', out)).toMatchObject({ ok: true });
  expect(fs.readFileSync(out, 'utf8')).not.toMatch(/opus|kimi-k2/);
  expect(await json('validate', out)).toMatchObject({ ok: true });
});

test('B03 a spec of another project, and one that is wrong, start nothing and leave nothing', async () => {
  product.writeTeam('crew', [{ id: 'ann' }]);
  await json('compile', '--team', 'docs/crew');
  const spec = path.join(product.workspace, 'team.spec.yaml');
  const text = fs.readFileSync(spec, 'utf8');
  const before = (instead: string) => {
    fs.writeFileSync(spec, text.replace('workspace: "."', instead));
    return everything();
  };
  const elsewhere = before('workspace: docs');
  expect(await json('quick-start', spec, '--yes')).toMatchObject({
    ok: false,
    code: 1,
    evidence: { problems: [{ file: spec, line: 6, key: 'team.workspace' }] },
  });
  expect(everything()).toEqual(elsewhere);
  const wrong = before('workspace: "."\n  colour: red');
  expect(await json('quick-start', spec, '--yes')).toMatchObject({
    ok: false,
    evidence: { problems: [{ key: 'team.colour' }] },
  });
  expect(everything()).toEqual(wrong);
});

test('B10 Z12 each start of a team that trusts itself is told once and recorded once; it trusts nothing', async () => {
  const folder = product.writeTeam('crew', [{ id: 'ann' }], 'auto_trust_own_workspace: true\n');
  const told = (text: string) => text.split('\n').filter((line) => line.includes('auto_trust_own_workspace')).length;
  const starts = [
    await product.run(['quick-start', folder]),
    (await product.run(['stop-agent', 'ann'])) && (await product.run(['start-agent', 'ann'])),
    (await product.run(['shutdown'])) && (await product.run(['restart'])),
  ];
  for (const started of starts) expect([started.code, told(started.stderr)]).toEqual([0, 1]);
  const events = product.rows("select data from events where type = 'trust_auto_answer_spec_opt_in_deprecated'");
  expect(events.map(({ data }) => JSON.parse(String(data)))).toEqual(
    Array.from({ length: 3 }, () => ({
      deprecated_field: 'spec.runtime.auto_trust_own_workspace',
      preferred_opt_in: 'flag:--trust',
      removal_target_version: '0.3.0',
    })),
  );
  expect(product.rows('select * from trusted_folders')).toEqual([]);
});

test('B10 Z12 a team that does not say so, or says no, is silent', async () => {
  const folder = product.writeTeam('crew', [{ id: 'ann' }], 'auto_trust_own_workspace: false\n');
  expect(await product.run(['quick-start', folder])).toMatchObject({ code: 0, stderr: '' });
  expect(product.rows("select * from events where type like 'trust%'")).toEqual([]);
});

test('B01 C06 what documents say and nothing acts on yet is told once of a start, whoever is in the team', async () => {
  const folder = product.writeTeam('shop', [{ id: 'amy' }, { id: 'bob' }], 'leader_role: boss\nstuck_timeout_sec: 9\n');
  const told = "What the team's documents say of this changes nothing yet: the leader's role, stuck_timeout_sec.";
  expect(await json('preflight', folder)).toMatchObject({ ok: true, warnings: [told] });
});

test('B11 schema prints the schemas that come with the program', async () => {
  const listed = await product.json<{ schemas: { name: string; file: string }[] }>(['schema']);
  expect(listed.schemas.map(({ name }) => name)).toEqual(['team', 'role', 'spec', 'result']);
  for (const { name, file } of listed.schemas) {
    const printed = await product.run(['schema', name]);
    expect(printed.stdout).toBe(fs.readFileSync(file, 'utf8'));
    expect(JSON.parse(printed.stdout)).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema' });
  }
  expect(await json('schema', 'colour')).toMatchObject({ ok: false, code: 2 });
});
