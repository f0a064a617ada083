import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal, type Refusal } from '../../src/kernel/index.ts';
import { compileTeam, type Team } from '../../src/team/index.ts';

const role = (name: string) => ({
  path: `agents/${name}.md`,
  text: `---\nname: ${name}\nrole: developer\nprovider: scripted\ntools: []\n---\nWork.\n`,
});

function compile(head: string): Team | Refusal {
  return compileTeam([{ path: 'TEAM.md', text: `---\n${head}---\n` }, role('builder'), role('tester')], {
    folder: '/w/.team/shop',
    workspace: '/w',
    fallbackName: 'shop',
    providers: (name) => ({ ok: true, name }),
    profile: () => undefined,
    kindOf: () => 'folder',
  });
}

function compiled(head: string): Team {
  const team = compile(head);
  if (isRefusal(team)) throw new Error(team.message);
  return team;
}

/** What is wrong, a line each, without the folder. */
function wrong(head: string): string[] {
  const team = compile(head);
  if (!isRefusal(team)) throw new Error('these documents were accepted');
  return team.message.split('\n').map((line) => line.replace('/w/.team/shop/', ''));
}

const one = (task: string) => `tasks:\n  - ${task}\n`;

describe('tasks and routing of TEAM.md', () => {
  it('B01 every field of a task and of a rule arrives', () => {
    const team = compiled(
      `${one('{id: api.v2, title: Build the API, description: "All of it", type: implementation, assignee: builder, requires_tools: [shell, "fs_*"], files: [src/api.ts], risk: high, retry_limit: 2, human_confirmation: true}')}` +
        '  - {id: check, title: Check it, deps: [api.v2, api.v2], assignee: leader}\n' +
        'routing:\n  default_assignee: tester\n  rules:\n' +
        '    - {id: risky, assign_to: leader, priority: 5, match: {risk: [high, medium], type: review}}\n' +
        '    - {assign_to: builder, match: {files: "src/**", requires_tools: shell}}\n' +
        'peer_mirror: true\npeer_limits: {hops: 4, team: 100}\n',
    );
    expect(team.tasks).toEqual([
      {
        id: 'api.v2',
        title: 'Build the API',
        description: 'All of it',
        type: 'implementation',
        assignee: 'builder',
        deps: [],
        requiresTools: ['execute_bash', 'fs_list', 'fs_read', 'fs_write'],
        files: ['src/api.ts'],
        risk: 'high',
        retryLimit: 2,
        humanConfirmation: true,
      },
      {
        id: 'check',
        title: 'Check it',
        assignee: 'leader',
        deps: ['api.v2'],
        requiresTools: [],
        files: [],
        retryLimit: 0,
        humanConfirmation: false,
      },
    ]);
    expect(team.routing).toEqual({
      default_assignee: 'tester',
      rules: [
        { id: 'risky', assign_to: 'leader', priority: 5, match: { risk: ['high', 'medium'], type: ['review'] } },
        {
          id: 'rule 2',
          assign_to: 'builder',
          priority: 0,
          match: { files: ['src/**'], requires_tools: ['execute_bash'] },
        },
      ],
    });
    expect(team).toMatchObject({ peerMirror: true, peerLimits: { hops: 4, team: 100 } });
  });

  it.each([
    ['an id twice', `${one('{id: a, title: A}')}  - {id: a, title: B}\n`, /TEAM\.md:4: tasks\.1\.id: "a" is the id of/],
    [
      'an id that no shell likes',
      one('{id: "a b", title: A}'),
      /TEAM\.md:3: tasks\.0\.id: "a b" does not fit; write a task id/,
    ],
    ['no title', one('{id: a}'), /tasks\.0\.title: is missing/],
    [
      'an unknown assignee',
      one('{id: a, title: A, assignee: bilder}'),
      /tasks\.0\.assignee: .* did you mean builder\?/,
    ],
    [
      'an unknown dep',
      `${one('{id: first, title: A}')}  - {id: b, title: B, deps: [frist]}\n`,
      /TEAM\.md:4: tasks\.1\.deps\.0: there is no task "frist"; did you mean first\?/,
    ],
    [
      'an unknown tool',
      one('{id: a, title: A, requires_tools: [fs_raed]}'),
      /requires_tools\.0: there is no tool "fs_raed"; did you mean fs_read\?/,
    ],
    [
      'an unknown key',
      one('{id: a, title: A, asignee: x}'),
      /tasks\.0\.asignee: there is no such field; did you mean assignee\?/,
    ],
    [
      'a number of tries below zero',
      one('{id: a, title: A, retry_limit: -1}'),
      /tasks\.0\.retry_limit: -1 does not fit/,
    ],
    ['a risk that is none', one('{id: a, title: A, risk: huge}'), /tasks\.0\.risk: .* low, medium, high/],
    [
      'a rule without match',
      'routing:\n  rules:\n    - assign_to: builder\n',
      /TEAM\.md:4: routing\.rules\.0\.match: is missing/,
    ],
    [
      'an empty match',
      'routing:\n  rules:\n    - {assign_to: builder, match: {}}\n',
      /match: is empty: the rule would take every task/,
    ],
    [
      'a match key that is none',
      'routing:\n  rules:\n    - {assign_to: builder, match: {asignee: x}}\n',
      /match\.asignee: there is no such field; did you mean assignee\?/,
    ],
    [
      'an unknown target',
      'routing:\n  default_assignee: nobody\n',
      /routing\.default_assignee: there is no agent "nobody"; the members are builder, tester, leader/,
    ],
    [
      'a rule for nobody',
      'routing:\n  rules:\n    - {assign_to: x, match: {type: a}}\n',
      /routing\.rules\.0\.assign_to: there is no agent "x"/,
    ],
    ['a limit of zero', 'peer_limits: {hops: 0}\n', /TEAM\.md:2: peer_limits\.hops: 0 does not fit/],
  ])('B01 told with file, line and key: %s', (_, head, line) => {
    expect(wrong(head)).toEqual([expect.stringMatching(line)]);
  });

  it('B01 tasks that wait for each other are told as a round, once', () => {
    const tasks = `${one('{id: x, title: X, deps: [a]}')}  - {id: a, title: A, deps: [b]}\n  - {id: b, title: B, deps: [c]}\n  - {id: c, title: C, deps: [a]}\n`;
    expect(wrong(tasks)).toEqual([
      expect.stringContaining('TEAM.md:4: tasks.1.deps: these tasks wait for each other: a -> b -> c -> a;'),
    ]);
    expect(wrong(one('{id: a, title: A, deps: [a]}'))).toEqual([expect.stringContaining(' a -> a;')]);
  });

  it('B01 tasks that build on earlier ones alone are never a round, in whatever order they stand', () => {
    const plan = fc.array(fc.array(fc.nat(20), { maxLength: 4 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(plan, fc.boolean(), (deps, backwards) => {
        const lines = deps.map((on, index) => {
          const earlier = index === 0 ? [] : on.map((dep) => `t${dep % index}`);
          return `  - {id: t${index}, title: T, deps: [${earlier.join(', ')}]}\n`;
        });
        const team = compiled(`tasks:\n${(backwards ? lines.toReversed() : lines).join('')}`);
        expect(team.tasks).toHaveLength(deps.length);
      }),
    );
  });
});
