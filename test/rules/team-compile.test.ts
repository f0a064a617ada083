import { describe, expect, it } from 'vitest';
import { isRefusal, type Refusal } from '../../src/kernel/index.ts';
import { compileTeam, type Surroundings, type Team, type TeamFile, teamIdOf } from '../../src/team/index.ts';
import { providers } from './team-documents.ts';

const around: Surroundings = {
  folder: '/w/.team/shop',
  workspace: '/w',
  fallbackName: 'shop',
  providers,
  profile: () => undefined,
  kindOf: (path) => (path === '/w' || path === '/w/api' ? 'folder' : path.endsWith('play.yaml') ? 'file' : 'nothing'),
};

function role(name: string, more = '', body = 'Build it.'): TeamFile {
  const head = `name: ${name}\nrole: developer\nprovider: scripted\ntools: [fs_read]\n${more}`;
  return { path: `agents/${name}.md`, text: `---\n${head}---\n\n${body}\n` };
}

function teamDocument(head: string, body = ''): TeamFile {
  return { path: 'TEAM.md', text: `---\n${head}---\n${body}` };
}

function compiled(...files: TeamFile[]): Team {
  const team = compileTeam(files, around);
  if (isRefusal(team)) throw new Error(team.message);
  return team;
}

function refused(...files: TeamFile[]): Refusal {
  const team = compileTeam(files, around);
  if (!isRefusal(team)) throw new Error('these documents were accepted');
  return team;
}

describe('a team of its documents', () => {
  it('G11 the documents of a team that there is say its name: another one is told with its line', () => {
    const shop = teamIdOf('shop') ?? expect.unreachable();
    const under = (head: string) => compileTeam([teamDocument(head), role('ann')], { ...around, team: shop });
    expect(under('provider: codex\nname: store\n')).toMatchObject({
      reason: 'team_document_invalid',
      message: expect.stringMatching(/^\/w\/\.team\/shop\/TEAM\.md:3: name: .*the team shop.*write name: shop/),
      next: ['team-agent quick-start /w/.team/shop'],
    });
    for (const same of ['name: shop\n', 'name: shop!\n', '']) expect(under(same)).toMatchObject({ id: 'shop' });
  });

  it('B01 every field arrives', () => {
    const team = compiled(
      teamDocument(
        'name: Web shop\nprovider: claude_code\nmodel: opus\nleader_role: architect\nnotify: digest\nenv: [NPM_TOKEN]\n' +
          'worker_to_worker: false\nmcp: team_only\ndisplay_backend: none\ntick_interval_sec: 2.5\nmax_active_agents: 2\n',
        '\nSell things.\n\n',
      ),
      role('zoe', 'working_directory: api\nscript: ../play.yaml\nenv: [NPM_TOKEN, CI]\nmcp: inherit\npaused: true\n'),
      { path: 'agents/a-first.md', text: '---\nname: amy\nrole: reviewer\nprovider: codex\ntools: []\n---\n' },
    );
    expect(team).toEqual({
      id: 'Web-shop',
      name: 'Web shop',
      objective: 'Sell things.',
      sessionName: 'team-Web-shop',
      workspace: '/w',
      folder: '/w/.team/shop',
      hasTeamDocument: true,
      leaderProvider: 'claude',
      leaderModel: 'opus',
      leaderRole: 'architect',
      notify: 'digest',
      approvals: 'person',
      workerToWorker: false,
      peerMirror: false,
      peerLimits: {},
      tasks: [],
      routing: { rules: [] },
      startupOrder: [],
      maxActive: 2,
      fast: false,
      autoTrust: false,
      kept: { display_backend: 'none', tick_interval_sec: 2.5 },
      described: team.agents,
      agents: [
        {
          id: 'amy',
          role: 'reviewer',
          provider: 'codex',
          model: 'opus',
          prompt: 'reviewer',
          tools: ['fs_list', 'fs_read', 'git_diff', 'mcp_team', 'provider_builtin'],
          folder: '/w',
          env: ['NPM_TOKEN'],
          mcp: 'team_only',
          permission: 'manual',
          paused: false,
          file: '/w/.team/shop/agents/a-first.md',
        },
        {
          id: 'zoe',
          role: 'developer',
          provider: 'scripted',
          model: 'opus',
          prompt: 'Build it.',
          tools: ['fs_read'],
          folder: '/w/api',
          script: '/w/.team/shop/play.yaml',
          env: ['NPM_TOKEN', 'CI'],
          mcp: 'inherit',
          permission: 'manual',
          paused: true,
          file: '/w/.team/shop/agents/zoe.md',
        },
      ],
    });
  });

  it('B01 a team without TEAM.md has the name it is given and the usual settings', () => {
    expect(compiled(role('amy'))).toMatchObject({
      id: 'shop',
      name: 'shop',
      sessionName: 'team-shop',
      hasTeamDocument: false,
      leaderProvider: 'codex',
      leaderModel: null,
      notify: 'each',
      workerToWorker: true,
      kept: {},
      agents: [{ model: null, mcp: 'inherit', env: [] }],
    });
  });

  it('B01 startup_order goes first, the others follow by file name', () => {
    const team = compiled(
      teamDocument('startup_order: [cat, bob]\n'),
      role('ann'),
      role('bob'),
      role('cat'),
      role('dan'),
    );
    expect(team.agents.map((agent) => agent.id)).toEqual(['cat', 'bob', 'ann', 'dan']);
    expect(team.startupOrder).toEqual(['cat', 'bob']);
  });

  it('B01 max_active_agents may be smaller than the team; without it all of them may run', () => {
    expect(compiled(teamDocument('max_active_agents: 1\n'), role('amy'), role('bob')).maxActive).toBe(1);
    expect(compiled(role('amy'), role('bob')).maxActive).toBeNull();
  });

  it('B01 session_name is taken as it is written', () => {
    expect(compiled(teamDocument('session_name: My team_1\n'), role('amy')).sessionName).toBe('My team_1');
  });

  it('B01 Z09 documents with CRLF and a byte order mark are the same documents', () => {
    const files = [teamDocument('name: Shop\n', 'Sell.\n'), role('amy', '', 'One.\n\nTwo.')];
    const windows = files.map(({ path, text }) => ({ path, text: `\uFEFF${text.replaceAll('\n', '\r\n')}` }));
    expect(compiled(...windows)).toEqual(compiled(...files));
  });

  it.each([
    ['- @builtin\n  - fs_*\n  - shell', ['execute_bash', 'fs_list', 'fs_read', 'fs_write', 'provider_builtin']],
    ['- @team-orchestrator', ['mcp_team']],
    ['- "@cao-mcp-server"\n  - mcp_team', ['mcp_team']],
  ])('B01 tools of older documents: %j', (tools, resolved) => {
    const text = `---\nname: amy\nrole: a: b\nprovider: fake\ntools:\n  ${tools}\n---\n`;
    expect(compiled({ path: 'agents/amy.md', text }).agents[0]).toMatchObject({ role: 'a: b', tools: resolved });
  });

  it('B01 the star is all tools', () => {
    const text = '---\nname: amy\nrole: r\nprovider: fake\ntools:\n  - *\n---\n';
    expect(compiled({ path: 'agents/amy.md', text }).agents[0]?.tools).toHaveLength(8);
  });

  it.each([
    ['', 'codex', '', null],
    ['', 'claude_code', '', null],
    ['', 'scripted', '', null],
    ['model: m\n', 'codex', '', 'm'],
    ['model: m\ndefault_model: d\n', 'codex', '', 'd'],
    ['default_model: d\nprovider_models: {claude: c}\n', 'claude_code', '', 'c'],
    ['provider_models: {claude: c, claude_code: cc}\n', 'claude_code', '', 'cc'],
    ['default_model: d\nprovider_models: {codex: x}\n', 'codex', 'model: own\n', 'own'],
    ['default_model: d\n', 'codex', 'model: null\n', 'd'],
  ])('B06 Z04 the model of %j with %s and %j is %s', (head, provider, own, model) => {
    const text = `---\nname: amy\nrole: r\nprovider: ${provider}\ntools: [fs_read]\n${own}---\n`;
    const team = compiled(teamDocument(head || 'name: shop\n'), { path: 'agents/amy.md', text });
    expect(team.agents[0]?.model).toBe(model);
  });

  it.each([
    ['Web shop 2', 'Web-shop-2'],
    ['  --x--  ', 'x'],
    ['équipe', 'equipe'],
    ['???', 'team'],
    ['run', undefined],
    ['x'.repeat(80), 'x'.repeat(64)],
  ])('B01 the id of %j is %s', (name, id) => {
    expect(teamIdOf(name)).toBe(id);
  });

  it('B01 names in other scripts have ids that differ', () => {
    expect(teamIdOf('团队')).toMatch(/^team-[0-9a-f]{8}$/);
    expect(teamIdOf('团队')).not.toBe(teamIdOf('チーム'));
  });
});

describe('what is wrong in documents', () => {
  const where = '/w/.team/shop';

  it('B03 Z01 all problems are told at once, each with file, line and key', () => {
    const text = '---\nname: bob\nrole: developer\ntools: shell\nprovder: codex\n---\n';
    const refusal = refused(teamDocument('# the shop\nnotify: loud\nfast: maybe\n'), role('amy', 'paused: 3\n'), {
      path: 'agents/bob.md',
      text,
    });
    expect(refusal.reason).toBe('team_document_invalid');
    expect(refusal.message.split('\n')).toEqual([
      `${where}/TEAM.md:3: notify: "loud" does not fit; write one of each, quiet, digest`,
      `${where}/TEAM.md:4: fast: "maybe" does not fit; write true or false`,
      `${where}/agents/amy.md:6: paused: 3 does not fit; write true or false`,
      `${where}/agents/bob.md:1: provider: is missing; write the CLI that plays it, such as claude, codex or scripted`,
      `${where}/agents/bob.md:4: tools: "shell" does not fit; write a list such as [fs_read, execute_bash]`,
      `${where}/agents/bob.md:5: provder: there is no such field; did you mean provider?`,
    ]);
    expect(refusal.evidence?.problems).toHaveLength(6);
    expect(refusal.next).toEqual([`team-agent quick-start ${where}`]);
  });

  it.each([
    ['dangerous_auto_approve: yes please', 'dangerous_auto_approve'],
    ['permission_mode: free', 'permission_mode'],
    ['approvals: anybody', 'approvals'],
    ['default_auth_mode: api', 'default_auth_mode'],
    ['default_profile: ../mine', 'default_profile'],
    ['permission_mode: open', 'permission_mode'],
    ['isolation: worktree', 'isolation'],
    ['budget: 5', 'budget'],
    ['max_active_agents: 0', 'max_active_agents'],
    ['max_active_agents: 1.5', 'max_active_agents'],
    ['worker_to_worker: yes', 'worker_to_worker'],
    ['session_name: a.b', 'session_name'],
    ['session_name: =a', 'session_name'],
    ['env: [TMUX_PANE]', 'env.0'],
    ['env: ["A=b"]', 'env.0'],
    ['startup_order: [amy, amy]', 'startup_order.1'],
    ['provider_models: [codex]', 'provider_models'],
    ['name: 5', 'name'],
    ['toString: 1', 'toString'],
    ['__proto__: 1', '__proto__'],
    ['colour:', 'colour'],
    ['auto_trust_own_workspace: "yes"', 'auto_trust_own_workspace'],
    ['name: "a', 'front matter'],
    ['name: a\nname: b', 'name'],
    ['name: &x a\nobjective: *x', 'objective'],
    ['name: !!binary aaaa', 'name'],
    ['- name', 'front matter'],
    ['objective:\n\tx: 1', 'x'],
  ])('B03 Z09 TEAM.md with %j is refused at %s', (head, key) => {
    const refusal = refused(teamDocument(`${head}\n`), role('amy'), role('bob'));
    expect(refusal.evidence?.problems).toContainEqual(expect.objectContaining({ file: `${where}/TEAM.md`, key }));
    expect(refusal.message).toMatch(/;/);
  });

  it.each([
    'dangerous_auto_approve: false',
    'fast: false',
    'default_auth_mode: subscription',
    'default_profile: null',
    'permission_mode: restricted',
    'approvals: leader',
    'isolation: none',
    'budget:',
    'max_active_agents: 2',
    'push_min_interval_sec: 60',
    'stuck_timeout_sec: 300',
  ])('B03 TEAM.md with the harmless %j is accepted', (line) => {
    expect(compiled(teamDocument(`${line}\n`), role('amy'), role('bob')).agents).toHaveLength(2);
  });

  it.each([
    ['', '', 'manual'],
    ['permission_mode: acceptEdits', '', 'accept_edits'],
    ['permission_mode: plan', 'permission_mode: auto', 'auto'],
    ['dangerous_auto_approve: true', '', 'bypass'],
    ['dangerous_auto_approve: true', 'permission_mode: manual', 'manual'],
    ['dangerous_auto_approve: true', 'dangerous_auto_approve: false', 'manual'],
    ['', 'permission_mode: bypassPermissions', 'bypass'],
    ['permission_mode: bypass', 'dangerous_auto_approve: false', 'manual'],
    ['permission_mode: plan', 'dangerous_auto_approve: false', 'plan'],
    ['permission_mode: plan', 'dangerous_auto_approve: true', 'bypass'],
    ['dangerous_auto_approve: false', 'permission_mode: bypass', 'bypass'],
    ['permission_mode: bypass\ndangerous_auto_approve: true', 'permission_mode: plan', 'plan'],
    ['permission_mode: plan\ndangerous_auto_approve: false', '', 'plan'],
  ])('B09 with %j in TEAM.md and %j in its own document an agent goes as far as %s', (head, own, permission) => {
    const [amy] = compiled(teamDocument(`${head}\n`), role('amy', `${own}\n`)).agents;
    expect(amy?.permission).toBe(permission);
  });

  it.each([
    ['permission_mode: plan\ndangerous_auto_approve: true', '"plan" is not what dangerous_auto_approve: true asks for'],
    ['dangerous_auto_approve: false\npermission_mode: bypass', '"bypass" is not what dangerous_auto_approve: false'],
    ['permission_mode: manual\ndangerous_auto_approve: true', '"manual" is not what dangerous_auto_approve: true'],
  ])('B03 B09 a document that says both %j is refused, TEAM.md and a role document alike', (lines, told) => {
    const refusals = [
      refused(teamDocument(`${lines}\n`), role('amy')),
      refused(role('amy', `${lines}\n`)),
      refused(teamDocument(`${lines}\n`), role('amy', 'permission_mode: plan\n')),
    ];
    for (const { evidence } of refusals)
      expect(evidence?.problems).toEqual([
        expect.objectContaining({ key: 'permission_mode', message: expect.stringContaining(told) }),
      ]);
  });

  it.each([
    ['auth_mode: api', 'auth_mode', /one of subscription, official_api, compatible_api/],
    ['profile: a/b', 'profile', /the name of a credential profile/],
    ['host: other', 'host', /this machine/],
    ['working_directory: nowhere', 'working_directory', /\/w\/nowhere is not a folder/],
    ['script: none.yaml', 'script', /agents\/none\.yaml is not a file/],
    ['colour: red', 'colour', /the fields are name, role/],
  ])('B03 a role document with %j is refused', (line, key, message) => {
    const problems = refused(role('amy', `${line}\n`)).evidence?.problems;
    expect(problems).toEqual([
      { file: `${where}/agents/amy.md`, line: 6, key, message: expect.stringMatching(message) },
    ]);
  });

  it('B03 only a scripted agent has a script', () => {
    const text = '---\nname: amy\nrole: r\nprovider: codex\ntools: []\nscript: play.yaml\n---\n';
    expect(refused({ path: 'agents/amy.md', text }).message).toMatch(/amy\.md:6: script: only a scripted agent/);
  });

  it('B03 a head that is never closed, and an agent that is not there', () => {
    expect(refused({ path: 'agents/amy.md', text: '---\nname: amy\n' }).message).toMatch(/amy\.md:1: .*never closed/);
    expect(refused(teamDocument('name: x\n')).message).toMatch(/TEAM\.md:1: agents: there is no agent; write/);
  });

  it('B04 an id that two documents claim names both', () => {
    const refusal = refused(role('amy'), { ...role('amy'), path: 'agents/other.md' });
    expect(refusal.message).toBe(
      `${where}/agents/other.md:2: name: "amy" is already the agent of agents/amy.md:2; write another name in one of the two`,
    );
  });

  it('B04 an unknown tool and an unknown name in startup_order say what was meant', () => {
    const text = '---\nname: amy\nrole: r\nprovider: fake\ntools:\n  - fs_read\n  - fs_raed\n---\n';
    const refusal = refused(
      teamDocument('startup_order: [builder, amyy]\n'),
      { path: 'agents/amy.md', text },
      role('bob'),
    );
    expect(refusal.message.split('\n')).toEqual([
      `${where}/agents/amy.md:7: tools.1: there is no tool "fs_raed"; did you mean fs_read?`,
      `${where}/TEAM.md:2: startup_order.0: there is no agent "builder"; the agents are amy, bob`,
      `${where}/TEAM.md:2: startup_order.1: there is no agent "amyy"; did you mean amy?`,
    ]);
  });

  it.each(['leader', 'Leader', '../x', 'a b', '-a', 'a'.repeat(65)])('B04 Z06 Z10 %j cannot be an agent', (name) => {
    const refusal = refused({ ...role('amy'), text: role(`"${name}"`).text });
    expect(refusal.reason).toBe('agent_id_invalid');
    expect(refusal.message).toMatch(/amy\.md:2: name: .*; write 1 to 64/);
  });

  it('B03 the reason is the one kind of problem when there is only one', () => {
    const unknown = { path: 'agents/amy.md', text: role('amy').text.replace('scripted', 'gemni') };
    expect(refused(unknown)).toMatchObject({ reason: 'unknown_provider' });
    expect(refused(unknown).message).toMatch(/amy\.md:4: provider: there is no provider gemni; write codex/);
    expect(refused(teamDocument('name: logs\n'), role('amy'))).toMatchObject({ reason: 'team_name_invalid' });
    expect(refused(teamDocument('name: logs\n'), unknown)).toMatchObject({ reason: 'team_document_invalid' });
  });

  it.each([
    'api_key: abcd1234efgh',
    'Use Bearer abcdef0123456789abcdef',
    `the key is sk-ant-${'CANARY'.repeat(4)}`,
    '  "password": "hunter2hunter2",',
  ])('B05 Z03 a credential in a body is refused and not repeated: %s', (line) => {
    const refusal = refused(role('amy', '', `Build.\n${line}`));
    expect(refusal.message).toMatch(/amy\.md:9: secret: /);
    expect(JSON.stringify(refusal)).not.toMatch(/abcd1234|abcdef0123|CANARY|hunter2/);
  });

  it('B05 a credential in a field is not repeated by another problem', () => {
    const refusal = refused(role('amy', 'paused: sk-ant-CANARYCANARY00\n'));
    expect(refusal.evidence?.problems).toHaveLength(2);
    expect(JSON.stringify(refusal)).not.toMatch(/CANARY/);
  });

  it.each([
    'token: use it wisely',
    'Read the token from the environment, never write a password down.',
    '-'.repeat(40),
    'src/some/very/long/path/to/a/component/file.ts',
    'api_key: $OPENAI_API_KEY',
    'sha256 cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30',
  ])('B05 Z03 prose, paths and rulers pass: %s', (line) => {
    expect(compiled(role('amy', '', line)).agents[0]?.prompt).toBe(line);
  });
});
