import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal, type Refusal } from '../../src/kernel/index.ts';
import { routeTask } from '../../src/results/index.ts';
import {
  compileTeam,
  isSpecText,
  readSpec,
  type SpecSurroundings,
  specOf,
  specText,
  type Team,
} from '../../src/team/index.ts';
import { documentsOf } from '../../src/team/spec/documents.ts';
import { long } from '../support/long.ts';
import { around, teamOf, teamValues } from './team-documents.ts';

/** In ms: a sweep beside other work. */
const LONG = { timeout: 300_000 };

const inSpec: SpecSurroundings = {
  ...around,
  workspace: '/w',
  usualWorkspace: '/w',
  textOf: (file) => (file === '/w/.team/shop/prompts/amy.md' ? '\r\nBuild it.\r\n' : undefined),
  realOf: (place) => place.replace(/^\/link/, '/w'),
};

function read(text: string, more: Partial<SpecSurroundings> = {}): Team | Refusal {
  return readSpec({ path: 'team.spec.yaml', text }, { ...inSpec, ...more });
}

function team(text: string, more: Partial<SpecSurroundings> = {}): Team {
  const found = read(text, more);
  if (isRefusal(found)) throw new Error(found.message);
  return found;
}

/** A team but for where its documents are. */
function said({ folder, hasTeamDocument, described, agents, ...rest }: Team) {
  return { ...rest, agents: agents.map(({ file, ...agent }) => agent) };
}

describe('a team as a spec', () => {
  it('B01 written to wherever and read again it is the same team', LONG, () => {
    const folders = fc.constantFrom('/w/.team/shop/export', '/w', '/elsewhere');
    fc.assert(
      fc.property(teamValues(), folders, (values, folder) => {
        const compiled = teamOf(values);
        const text = specText(specOf(compiled, folder));
        expect(said(team(text, { folder, workspace: undefined }))).toEqual(said(compiled));
      }),
      { numRuns: long ? 2_000 : 60 },
    );
  });

  it.each([
    ['version: 3\nservices: {}\n', false],
    ['name: app\nversion: 1\n', false],
    ['version: 1\nteam: x\n', false],
    ['{"version": 2, "team": {}, "agents": []}', false],
    ['Notes\nversion: 1\n', false],
    ['', false],
    ['{"version": 1, "team": {}, "agents": []}', true],
    ['\uFEFF# ours\r\nversion: 1\r\nteam: {name: x}\r\nagents: []\r\n', true],
  ])('B01 of the text %j it is said that it is one: %s', (text, is) => {
    expect(isSpecText(text)).toBe(is);
  });

  it('B02 kept as documents it is the same team, its scripts beside them', LONG, () => {
    const script = (one: Team) => one.agents.map(({ script, ...agent }) => ({ ...agent, plays: script !== undefined }));
    fc.assert(
      fc.property(teamValues(), (values) => {
        const compiled = teamOf(values);
        const again = compileTeam(documentsOf(compiled), around);
        if (isRefusal(again)) throw new Error(again.message);
        const [one, other] = [said(compiled), said(again)];
        expect({ ...other, agents: script(again).map(({ file, ...agent }) => agent) }).toEqual({
          ...one,
          agents: script(compiled).map(({ file, ...agent }) => agent),
        });
      }),
      { numRuns: long ? 2_000 : 60 },
    );
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('B01 of %i roles: word for word', (count) => {
    const roles = Array.from({ length: count }, (_, index) => ({
      head: { name: `agent-${index}`, role: 'developer', provider: 'codex', tools: ['fs_read'] },
      body: `Work as number ${index}.\nSay what you did.`,
    }));
    const head = { name: 'Web shop', startup_order: [`agent-${count - 1}`], max_active_agents: 2 };
    const spec = specOf(teamOf({ head, roles }), '/w/.team/shop/export');
    expect(specText(spec)).toMatchSnapshot();
  });
});

/** A spec as version 0.2 compiled it, every field written. */
const OLDER = `version: 1
team:
  name: "shop"
  mode: "supervisor_worker"
  objective: |
    Sell things.
    Every day.
  workspace: "../.."
leader:
  id: "leader"
  role: "leader"
  provider: "codex"
  model: null
  tools:
    - "fs_read"
    - "fs_list"
    - "mcp_team"
  context_policy:
    keep_user_thread: true
    receive_worker_outputs: "business_messages_and_short_summaries"
    max_worker_result_tokens: 2000
agents:
  - id: "amy"
    role: "developer"
    provider: "claude_code"
    model: "opus"
    auth_mode: "subscription"
    working_directory: "."
    system_prompt:
      inline: "Build it."
      file: null
    tools:
      - "execute_bash"
      - "fs_read"
    permission_mode: "restricted"
    preferred_for:
      - "amy"
      - "developer"
    avoid_for: []
    output_contract:
      format: "result_envelope_v1"
      required_fields:
        - "task_id"
        - "status"
        - "summary"
        - "artifacts"
  - id: "bob"
    role: "reviewer"
    provider: "fake"
    model: null
    auth_mode: "subscription"
    working_directory: "api"
    system_prompt:
      inline: null
      file: "prompts/amy.md"
    tools: []
    permission_mode: "restricted"
    paused: true
routing:
  default_assignee: "amy"
  rules:
    - id: "route-amy"
      match:
        assignee:
          - "amy"
      assign_to: "amy"
      priority: 10
    - id: "reviews"
      when: "task.type in ['review', 'risk_check']"
      match: {type: review}
      assign_to: "bob"
      priority: 20
    - {when: "task.files matches ['src/*.ts']", assign_to: bob}
    - {when: "task.risk == 'high'", match: {type: bug_fix}, assign_to: leader}
communication:
  protocol: "mcp_inbox"
  topology: "leader_centered"
  worker_to_worker: false
  ack_timeout_sec: 60
  result_format: "result_envelope_v1"
  message_store:
    sqlite: ".team/runtime/team.db"
    mirror_files: ".team/messages"
runtime:
  backend: "tmux"
  display_backend: "adaptive"
  session_name: "team-shop"
  auto_launch: true
  require_user_approval_before_launch: true
  max_active_agents: 1
  startup_order:
    - "bob"
    - "amy"
  dangerous_auto_approve: false
  fast: false
  tick_interval_sec: 2
  push_min_interval_sec: 60
  stuck_timeout_sec: 300
context:
  state_file: ".team/current/team_state.md"
  artifact_dir: ".team/artifacts"
  log_dir: ".team/logs"
  summarization:
    worker_full_logs: "retain_outside_leader_context"
    state_update: "after_each_result"
tasks:
  - id: "task_initial"
    title: "Begin"
    type: "implementation"
    assignee: "amy"
    deps: []
    acceptance:
      - "It builds."
    status: "pending"
    requires_tools:
      - "mcp_team"
    files: []
    risk: "low"
`;

describe('a spec of version 0.2', () => {
  it('B01 B03 every field of it is taken', () => {
    expect(team(OLDER)).toMatchObject({
      name: 'shop',
      objective: 'Sell things.\nEvery day.\n',
      leaderProvider: 'codex',
      workerToWorker: false,
      maxActive: 1,
      startupOrder: ['bob', 'amy'],
      sessionName: 'team-shop',
      kept: { display_backend: 'adaptive', tick_interval_sec: 2, push_min_interval_sec: 60, stuck_timeout_sec: 300 },
      agents: [
        { id: 'bob', provider: 'scripted', prompt: 'Build it.', folder: '/w/api', paused: true, model: null },
        { id: 'amy', provider: 'claude', prompt: 'Build it.', folder: '/w', model: 'opus', permission: 'manual' },
      ],
      tasks: [
        { id: 'task_initial', assignee: 'amy', description: 'Done when:\n- It builds.', requiresTools: ['mcp_team'] },
      ],
    });
  });

  it('B01 Z11 its compiled rules match their own assignee alone, and its comparisons are rules', () => {
    const { routing } = team(OLDER);
    expect(routing.rules).toEqual([
      { id: 'route-amy', assign_to: 'amy', priority: 10, match: { assignee: ['amy'] } },
      { id: 'reviews', assign_to: 'bob', priority: 20, match: { type: ['review'] } },
      { id: 'rule 3', assign_to: 'bob', priority: 0, match: { files: ['src/**.ts'] } },
      { id: 'rule 4', assign_to: 'leader', priority: 0, match: { risk: ['high'], type: ['bug_fix'] } },
    ]);
    const free = { type: 'docs', risk: null, requires_tools: '[]', files: '[]' };
    const anybody = () => true;
    expect(routeTask({ ...free, assignee: null }, { rules: routing.rules }, anybody)).toBeUndefined();
    // Amy has left, and bob has her work.
    const after = { rules: [{ id: 'r', assign_to: 'bob', priority: 0, match: { assignee: ['amy'] } }] };
    const withoutAmy = (id: string) => id !== 'amy';
    expect(routeTask({ ...free, assignee: 'amy' }, after, withoutAmy)).toMatchObject({ agent: 'bob', rule: 'r' });
    expect(routeTask({ ...free, assignee: 'zoe' }, after, (id) => id === 'bob')).toBeUndefined();
  });

  it('B01 the project may be named by an absolute path, or through a link, or be left out', () => {
    for (const workspace of ['/w', '/link'])
      expect(team(OLDER.replace('"../.."', workspace), { kindOf: () => 'folder' }).agents[1]?.folder).toBe('/w');
    expect(team(OLDER.replace('  workspace: "../.."\n', '')).agents[1]?.folder).toBe('/w');
    expect(read(OLDER, { workspace: '/other' })).toMatchObject({
      message: expect.stringMatching(/team\.spec\.yaml:8: team\.workspace: \/w is another project than \/other; start/),
    });
  });

  it('B01 it may be JSON', () => {
    const agents = [{ id: 'amy', role: 'dev', provider: 'codex', tools: [] }];
    expect(team(JSON.stringify({ version: 1, team: { name: 'x' }, agents }))).toMatchObject({
      id: 'x',
      objective: 'Work together on x.',
    });
  });

  it.each([
    ['version: 1', 'version: 2', '1: version: 2 does not fit; write version: 1'],
    ['mode: "supervisor_worker"', 'mode: swarm_limited', '4: team.mode: "swarm_limited" is refused: one leader leads'],
    ['id: "leader"', 'id: boss', '10: leader.id: "boss" is refused'],
    ['provider: "codex"', 'provider: gemni', '12: leader.provider: there is no provider gemni'],
    [
      '    - "mcp_team"\n',
      '    - "network"\n',
      '17: leader.tools.2: is refused: the leader is a conversation of its own',
    ],
    ['2000', '9000', '21: leader.context_policy.max_worker_result_tokens: 9000 is refused'],
    ['id: "bob"', 'id: "../x"', '47: agents.1.id: "../x" cannot be an agent; write 1 to 64'],
    ['id: "bob"', 'id: amy', '47: agents.1.id: "amy" is already the agent of team.spec.yaml:23; write another name'],
    ['provider: "fake"', 'provider: gemni', '49: agents.1.provider: there is no provider gemni; write codex'],
    [
      '- "execute_bash"',
      '- "execute_bsah"',
      '33: agents.0.tools.0: there is no tool "execute_bsah"; did you mean execute_bash?',
    ],
    [
      'working_directory: "api"',
      'working_directory: nowhere',
      '52: agents.1.working_directory: /w/nowhere is not a folder',
    ],
    [
      'prompts/amy.md',
      'prompts/none.md',
      '55: agents.1.system_prompt.file: /w/.team/shop/prompts/none.md is not a file of text',
    ],
    ['inline: null', 'inline: Do', '55: agents.1.system_prompt.file: there is a text under inline too'],
    [
      'permission_mode: "restricted"',
      'permission_mode: bypass\n    dangerous_auto_approve: false',
      '35: agents.0.permission_mode: "bypass" is not what dangerous_auto_approve: false asks for',
    ],
    ['permission_mode: "restricted"', 'permission_mode: free', '35: agents.0.permission_mode: "free" does not fit'],
    [
      '- "developer"',
      '- review',
      '36: agents.0.preferred_for: "review" is refused: who gets a task is said by routing',
    ],
    ['avoid_for: []', 'avoid_for: [docs]', '39: agents.0.avoid_for.0: is refused: who gets a task is said by routing'],
    [
      '- "task_id"',
      '- colour',
      '43: agents.0.output_contract.required_fields.0: "colour" does not fit; write one of schema_version',
    ],
    ['paused: true', 'forked_from: amy', '58: agents.1.forked_from: is refused: a conversation cannot be copied'],
    ['paused: true', 'colour: red', '58: agents.1.colour: there is no such field; the fields are id, role'],
    [
      'default_assignee: "amy"',
      'default_assignee: ammy',
      '60: routing.default_assignee: there is no agent "ammy"; did you mean amy?',
    ],
    [
      'assign_to: "bob"',
      'assign_to: bobb',
      '71: routing.rules.1.assign_to: there is no agent "bobb"; did you mean bob?',
    ],
    [
      "['review', 'risk_check']",
      '[review]',
      '69: routing.rules.1.when: "task.type in [review]" does not fit; write task.type in',
    ],
    ["task.risk == 'high'", "task.risk == 'huge'", '74: routing.rules.3.when: "task.risk == \'huge\'" does not fit'],
    ['{type: review}', '{type: docs}', '69: routing.rules.1.when: this and match never hold together'],
    [
      "matches ['src/*.ts']\"",
      "matches ['src/*.ts']\", match: {files: a}",
      '73: routing.rules.2.when: this and match both speak of files',
    ],
    ['when: "task.files matches [\'src/*.ts\']", ', '', '73: routing.rules.2: takes no task; write match, or when'],
    [
      'protocol: "mcp_inbox"',
      'protocol: file_bus',
      '76: communication.protocol: "file_bus" is refused: messages go through',
    ],
    [
      'ack_timeout_sec: 60',
      'ack_timeout_sec: 5',
      '79: communication.ack_timeout_sec: 5 is refused: a delivery ends by proof',
    ],
    ['.team/runtime/team.db', 'mine.db', '82: communication.message_store.sqlite: "mine.db" is refused'],
    [
      'backend: "tmux"',
      'backend: pty',
      '85: runtime.backend: "pty" is refused: agents live in tmux; remove the line or write tmux',
    ],
    ['auto_launch: true', 'auto_launch: false', '88: runtime.auto_launch: false is refused'],
    ['max_active_agents: 1', 'max_active_agents: 0', '90: runtime.max_active_agents: 0 does not fit'],
    ['- "bob"\n', '- "bobb"\n', '92: runtime.startup_order.0: there is no agent "bobb"; did you mean bob?'],
    [
      'dangerous_auto_approve: false',
      'dangerous_auto_approve: true',
      '35: agents.0.permission_mode: "restricted" is not what dangerous_auto_approve: true asks for',
    ],
    ['fast: false', 'fast: 1', '95: runtime.fast: 1 does not fit; write true or false'],
    [
      'fast: false',
      'auto_trust_own_workspace: "yes"',
      '95: runtime.auto_trust_own_workspace: "yes" does not fit; write true or false',
    ],
    [
      'state_file: ".team/current/team_state.md"',
      'state_file: notes.md',
      '100: context.state_file: "notes.md" is refused',
    ],
    [
      'status: "pending"',
      'status: done',
      '114: tasks.0.status: "done" is refused: what became of a task stands in the ledger',
    ],
    [
      'deps: []',
      'deps: [task_initial]',
      '111: tasks.0.deps: these tasks wait for each other: task_initial -> task_initial',
    ],
    ['deps: []', 'deps: [other]', '111: tasks.0.deps.0: there is no task "other"; the tasks are task_initial'],
    ['version: 1', 'version: 1\nversion: 1', '2: version: this key is written twice'],
    ['version: 1', 'version: 1\n\tteam: x', '2: team: a tab cannot indent'],
  ])('B03 B04 %j as %j is told with file, line and key', (line, instead, told) => {
    expect(OLDER).toContain(line);
    const refusal = read(OLDER.replace(line, instead));
    if (!isRefusal(refusal)) throw new Error('this spec was accepted');
    expect(refusal.message).toContain(`/w/.team/shop/team.spec.yaml:${told}`);
  });

  it('B03 all that is wrong is told at once, with the command that starts it when it is mended', () => {
    const broken = { 'backend: "tmux"': 'backend: pty', '"codex"': '"gemni"', 'deps: []': 'deps: [other]' };
    const text = Object.entries(broken).reduce((spec, [from, to]) => spec.replace(from, to), OLDER);
    const refusal = read(text);
    expect(refusal).toMatchObject({ ok: false, next: ['team-agent quick-start /w/.team/shop/team.spec.yaml'] });
    expect(isRefusal(refusal) && refusal.message.split('\n').length).toBe(3);
  });

  it('B05 a credential in a spec, or in a file that it names, is refused and not repeated', () => {
    const key = `sk-ant-${'CANARY'.repeat(4)}`;
    const inline = read(OLDER.replace('Build it.', key));
    const inFile = read(OLDER, { textOf: () => `Build.\nUse ${key}\n` });
    expect(inline).toMatchObject({ message: expect.stringMatching(/team\.spec\.yaml:30: secret: /) });
    expect(inFile).toMatchObject({ message: expect.stringMatching(/prompts\/amy\.md:2: secret: /) });
    expect(JSON.stringify([inline, inFile])).not.toMatch(/CANARY/);
  });

  it('B10 Z12 auto_trust_own_workspace is told of when it is true, and trusts nothing', () => {
    expect(team(OLDER).autoTrust).toBe(false);
    expect(team(OLDER.replace('fast: false', 'auto_trust_own_workspace: false')).autoTrust).toBe(false);
    expect(said(team(OLDER.replace('fast: false', 'auto_trust_own_workspace: true')))).toEqual({
      ...said(team(OLDER)),
      autoTrust: true,
    });
  });
});
