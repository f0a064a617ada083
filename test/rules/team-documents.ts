import fc from 'fast-check';
import { stringify } from 'yaml';
import { isRefusal, refuse } from '../../src/kernel/index.ts';
import { compileTeam, type ProviderNames, type Surroundings, type Team, type TeamFile } from '../../src/team/index.ts';

/* Team documents made up at random: valid ones, as the values of their heads. */

const CANONICAL: Readonly<Record<string, string>> = {
  claude: 'claude',
  claude_code: 'claude',
  codex: 'codex',
  scripted: 'scripted',
  fake: 'scripted',
};

/** The providers that documents may name here. */
export const providers: ProviderNames = (name) => {
  const found = CANONICAL[name];
  return found ? { ok: true, name: found } : refuse('unknown_provider', `there is no provider ${name}; write codex`);
};

/** A project `/w` with the folder `/w/api` and, wherever they are named, scripts. */
export const around: Surroundings = {
  folder: '/w/.team/shop',
  workspace: '/w',
  fallbackName: 'shop',
  profile: () => undefined,
  providers,
  kindOf: (place) => (/^\/w(\/api)?$/.test(place) ? 'folder' : place.endsWith('.yaml') ? 'file' : 'nothing'),
};

/** A role document's head, and its body. */
export interface RoleValues {
  readonly head: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly body: string;
}
export interface TeamValues {
  readonly head: Readonly<Record<string, unknown>>;
  readonly roles: readonly RoleValues[];
}

export function filesOf({ head, roles }: TeamValues): TeamFile[] {
  const text = (values: object, body: string) => `---\n${stringify(values)}---\n${body}`;
  return [
    { path: 'TEAM.md', text: text(head, '') },
    ...roles.map((role) => ({ path: `agents/${role.head.name}.md`, text: text(role.head, role.body) })),
  ];
}

export function teamOf(values: TeamValues): Team {
  const team = compileTeam(filesOf(values), around);
  if (isRefusal(team)) throw new Error(team.message);
  return team;
}

/** Texts that a careless writer or reader of YAML would change. */
const piece = fc.constantFrom(
  ...[
    'a',
    'b',
    ' ',
    '  ',
    ': ',
    ' #',
    '- ',
    '"',
    "'",
    '\\',
    '\n',
    '\n\n',
    '\t',
    'é',
    '漢',
    '{',
    ']',
    '@',
    '*',
    '!',
    '%',
  ],
);
const odd = fc.constantFrom(
  'yes',
  'no',
  'null',
  '~',
  '1',
  '1_000',
  '007',
  '1e3',
  '0x1f',
  'true',
  '2020-01-01',
  '---',
  '=',
);
const text = fc.oneof(
  odd,
  fc.array(piece, { maxLength: 8 }).map((pieces) => `a${pieces.join('')}`),
);
const body = fc.array(fc.oneof(piece, odd), { maxLength: 12 }).map((pieces) => pieces.join(''));
const seconds = fc.oneof(fc.integer({ min: 1, max: 600 }), fc.constantFrom(0.5, 2.5));

const tool = fc.constantFrom(
  'fs_read',
  'fs_write',
  'fs_list',
  'execute_bash',
  'git_diff',
  'network',
  'shell',
  'fs_*',
  '*',
);
const tools = fc.array(tool, { maxLength: 4 });
const env = fc.array(fc.constantFrom('CI', 'NPM_HOME', 'LANGUAGE'), { maxLength: 3 });
const mcp = fc.constantFrom('inherit', 'team_only');
const mode = fc.constantFrom('restricted', 'manual', 'plan', 'accept_edits', 'acceptEdits', 'auto', 'bypass');
const risk = fc.constantFrom('low', 'medium', 'high');
const type = fc.constantFrom('implementation', 'review', 'odd: one');
const optional = { requiredKeys: [] };

/** One value or a list of them, as `match` takes it. */
const several = (item: fc.Arbitrary<string>) => fc.oneof(item, fc.array(item, { minLength: 1, maxLength: 2 }));

function roleValues(name: string): fc.Arbitrary<RoleValues> {
  const usual = { name: fc.constant(name), role: text, tools };
  const may = {
    model: text,
    env,
    mcp,
    permission_mode: mode,
    paused: fc.boolean(),
    auth_mode: fc.constant('subscription'),
  };
  const where = { working_directory: fc.constantFrom('.', 'api', '/w/api') };
  const required = { requiredKeys: ['name', 'role', 'tools', 'provider'] as const };
  const head = fc.oneof(
    fc.record(
      { ...usual, provider: fc.constantFrom('claude', 'claude_code', 'codex', 'fake'), ...may, ...where },
      {
        requiredKeys: [...required.requiredKeys],
      },
    ),
    fc.record(
      { ...usual, provider: fc.constant('scripted'), script: fc.constantFrom('play.yaml', '/far/play.yaml'), ...may },
      { requiredKeys: [...required.requiredKeys] },
    ),
  );
  return fc.record({ head, body });
}

function taskValues(names: readonly string[], index: number) {
  const member = fc.constantFrom(...names, 'leader');
  const earlier = Array.from({ length: index }, (_, before) => `task-${before}`);
  return fc.record(
    {
      id: fc.constant(`task-${index}`),
      title: text,
      description: text,
      type,
      assignee: member,
      deps: fc.subarray(earlier),
      requires_tools: tools,
      files: fc.array(text, { maxLength: 2 }),
      risk,
      retry_limit: fc.nat(3),
      human_confirmation: fc.boolean(),
    },
    { requiredKeys: ['id', 'title'] },
  );
}

function ruleValues(names: readonly string[]) {
  const member = fc.constantFrom(...names, 'leader');
  const match = fc
    .tuple(
      fc.record({ type: several(type) }),
      fc.record(
        { risk: several(risk), requires_tools: several(tool), files: several(text), assignee: several(member) },
        optional,
      ),
    )
    .map(([one, more]) => ({ ...one, ...more }));
  return fc.record(
    { id: text, assign_to: member, priority: fc.integer({ min: -5, max: 5 }), match },
    {
      requiredKeys: ['assign_to', 'match'],
    },
  );
}

/** Two lines that say one thing: a head that contradicts itself is refused. */
const agrees = ({ permission_mode, dangerous_auto_approve }: Readonly<Record<string, unknown>>): boolean =>
  permission_mode === undefined ||
  dangerous_auto_approve === undefined ||
  (permission_mode === 'bypass') === dangerous_auto_approve;

/** A team of one to `most` agents; every field may be there or not, and may hold anything that fits it. */
export function teamValues(most = 4): fc.Arbitrary<TeamValues> {
  const names = fc.subarray(['amy', 'Bob-2', 'c_c', '9', 'zoe', 'xen', 'ulf', 'vic'].slice(0, most), { minLength: 1 });
  return names.chain((chosen) => {
    const member = fc.constantFrom(...chosen, 'leader');
    const head = fc.record(
      {
        name: text,
        objective: text,
        provider: fc.constantFrom('claude', 'codex'),
        model: text,
        leader_model: text,
        leader_role: text,
        default_model: text,
        provider_models: fc.dictionary(fc.constantFrom('claude', 'codex', 'fake'), text),
        session_name: fc.constantFrom('My team_1', 'team-x', 'Ä 1'),
        notify: fc.constantFrom('each', 'quiet', 'digest'),
        mcp,
        permission_mode: mode,
        dangerous_auto_approve: fc.boolean(),
        approvals: fc.constantFrom('person', 'leader'),
        env,
        worker_to_worker: fc.boolean(),
        peer_mirror: fc.boolean(),
        peer_limits: fc.record(
          { hops: fc.integer({ min: 1, max: 9 }), pair: fc.constant(3), team: fc.constant(7) },
          optional,
        ),
        tasks: fc
          .nat(4)
          .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => taskValues(chosen, index)))),
        routing: fc.record(
          { default_assignee: member, rules: fc.array(ruleValues(chosen), { maxLength: 3 }) },
          optional,
        ),
        startup_order: fc.shuffledSubarray(chosen),
        max_active_agents: fc.integer({ min: 1, max: 9 }),
        auto_trust_own_workspace: fc.boolean(),
        display_backend: fc.constantFrom('none', 'adaptive', 'ghostty_window'),
        tick_interval_sec: seconds,
        push_min_interval_sec: seconds,
        stuck_timeout_sec: seconds,
        fast: fc.boolean(),
      },
      optional,
    );
    return fc.record({ head: head.filter(agrees), roles: fc.tuple(...chosen.map(roleValues)) });
  });
}
