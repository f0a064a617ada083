import fc from 'fast-check';
import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import type { StatusAnswer } from '../../src/cli/answers/index.ts';
import { waitedOutcome } from '../../src/cli/commands/messages/waited.ts';
import { exitCode } from '../../src/cli/outcome.ts';
import { sentLines } from '../../src/cli/rendering/deliveries.ts';
import type { Look } from '../../src/cli/rendering/look.ts';
import { refusalLines } from '../../src/cli/rendering/refusal.ts';
import { agentLines, statusLines, summaryLines } from '../../src/cli/rendering/status.ts';
import { table } from '../../src/cli/rendering/table.ts';
import { displayWidth, pad, truncate, wrap } from '../../src/cli/rendering/width.ts';
import { refuse } from '../../src/kernel/reasons.ts';

const NOW = 1_800_000_000_000;
const look: Look = { columns: 80, paint: picocolors.createColors(false), now: NOW };
const anyText = fc.string({ unit: 'grapheme', maxLength: 60 });

describe('width in a terminal', () => {
  test.each([
    ['plain', 5],
    ['日本語', 6],
    ['한글', 4],
    ['e\u0301', 1],
    ['\u{1f469}\u200d\u{1f680}', 2],
    ['✓ ok', 4],
    ['⏳', 2],
    ['', 0],
  ])('%s takes %i columns', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  test('a cut text fits, ends in an ellipsis, and is a part of the whole', () => {
    expect(truncate('日本語テキスト', 6)).toBe('日本…');
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 40 }), (text, columns) => {
        const cut = truncate(text, columns);
        expect(displayWidth(cut)).toBeLessThanOrEqual(columns);
        if (cut !== text) expect(text.startsWith(cut.slice(0, -1))).toBe(true);
      }),
    );
  });

  test('a padded text has exactly its width', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 2, max: 40 }), (text, columns) => {
        expect(displayWidth(pad(text, columns))).toBe(columns);
      }),
    );
    expect(pad('7', 3, 'right')).toBe('  7');
  });

  test('wrapped lines fit, and no word is lost', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrap('abcdefgh', 3)).toEqual(['abc', 'def', 'gh']);
    expect(wrap('a\n\nb', 5)).toEqual(['a', '', 'b']);
    fc.assert(
      fc.property(fc.lorem({ maxCount: 30 }), fc.integer({ min: 4, max: 40 }), (text, columns) => {
        const lines = wrap(text, columns);
        expect(lines.every((line) => displayWidth(line) <= columns)).toBe(true);
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
      }),
    );
  });
});

describe('F03 what a wait brought', () => {
  const result = { result_id: 'r_1', task_id: 't', message_id: 'm_1', agent_id: 'ann', status: 'success' } as const;
  const results = [{ ...result, summary: 'all is well', created_at: NOW }];
  const sent = { ok: true, message_id: 'm_1', to: ['ann'], deliveries: [] };

  test('a person sees the result, or that a message was the answer; without a wait neither', () => {
    expect(sentLines({ ...sent, results }, look).join('\n')).toContain('all is well');
    expect(sentLines({ ...sent, results: [] }, look).join('\n')).toContain('answered by a message');
    expect(sentLines(sent, look).join('\n')).not.toContain('answered');
  });

  test('what came is shown though the wait did not end well, and its exit code says partly', () => {
    const refusal = { ...refuse('delivery_dead', 'Nothing comes of it: dead for bob (expired).'), partial: true };
    const outcome = waitedOutcome({ ...refusal, results }, () => []);
    expect(exitCode(outcome)).toBe(3);
    const shown = outcome.kind === 'answer' ? outcome.lines(look).join('\n') : '';
    expect(shown).toContain('all is well');
    expect(shown).toContain('dead for bob');
    expect(waitedOutcome({ ...refusal, results: [] }, () => []).kind).toBe('refused');
  });
});

describe('tables', () => {
  const columns = [{ head: 'who' }, { head: 'what', least: 6 }, { head: 'n', align: 'right' as const }];

  test('align, and cut only what may shrink', () => {
    const rows = [
      ['ann', 'a text that is much too long', '7'],
      ['bob', 'short', '1,200'],
    ];
    expect(table(columns, rows, { ...look, columns: 24 })).toEqual([
      'who  what              n',
      'ann  a text that…      7',
      'bob  short         1,200',
    ]);
  });

  test('what an agent wrote cannot move the cursor or break a row', () => {
    const [, row] = table(columns, [['ann', 'red \u001b[31mtext\u001b[0m\nnext\u0007', '1']], look);
    expect(row).toBe('ann  red text next  1');
  });

  test('fit whatever stands in them', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constant('ann'), anyText, fc.constant('12')), { maxLength: 5 }), (rows) => {
        const lines = table(columns, rows, { ...look, columns: 30 });
        expect(lines.every((line) => displayWidth(line) <= 30)).toBe(true);
      }),
    );
  });
});

test('A06 Z71 a refusal is three lines: what, why, what to type next', () => {
  const refusal = refuse('agent_not_found', 'Nobody is called zoe.\u001b[2J', {
    next: ['team-agent status', 'team-agent events'],
  });
  expect(refusalLines(refusal, look)).toEqual([
    'error: Nobody is called zoe.',
    'reason: agent_not_found',
    'next: team-agent status   or   team-agent events',
  ]);
});

const status: StatusAnswer = {
  ok: true,
  team: 'web-shop',
  name: 'web shop',
  session_name: 'team-web-shop',
  tmux_session_present: true,
  observed: 'live',
  leader: { identity: null, epoch: 0, receiver: 'mailbox' },
  agents: {
    builder: {
      provider: 'scripted',
      role: 'developer',
      intent: 'running',
      state: 'working',
      state_source: 'protocol',
      since: NOW - 12_000,
      task_id: 'checkout-rewrite-with-a-name-that-is-long',
      queue: { queued: 2, submitted: 1 },
    },
    tester: {
      provider: 'scripted',
      intent: 'stopped',
      state: 'exited',
      state_source: 'process',
      since: NOW - 240_000,
      task_id: null,
      queue: { queued: 1, submitted: 0, because: 'agent_stopped' },
    },
  },
  deliveries: { queued: 3, held: 1, submitted: 1, consumed: 14, answered: 3, dead: 1, cancelled: 0 },
  oldest_pending_ms: 95_000,
  latest_results: [
    {
      result_id: 'r_0123456789abcdef01234567',
      agent_id: 'builder',
      task_id: 'login',
      status: 'success',
      summary: 'The login form keeps what was typed when the password is wrong; three tests more.',
      created_at: NOW - 60_000,
    },
  ],
  queued_messages: [
    {
      message_id: 'm_0123456789abcdef01234567',
      delivery_id: 'd',
      to: 'tester',
      state: 'held',
      reason: 'agent_stopped',
      age_ms: 95_000,
      attempts: 0,
    },
  ],
  coordinator: { pid: 4711, uptime_ms: 300_000 },
};

test('H01 the team at a glance, in 80 columns', () => {
  const lines = statusLines(status, look);
  expect(`\n${lines.join('\n')}\n`).toBe(`
web shop  up  tmux team-web-shop
leader       mailbox: team-agent inbox leader --team web-shop
coordinator  running, process 4711, up 5 min
messages     3 queued, 1 held, 1 submitted, 14 consumed, 3 answered, 1 dead

agent    state               by        since  task              waiting for it
builder  ● working           protocol   12 s  checkout-rewrit…  2 queued, 1 sub…
tester   × exited (stopped)  process   4 min  -                 1 queued: agent…

waiting
m_0123456789abcdef01234567  → tester  held (agent_stopped)  1 min

results
builder  success  login  The login form keeps what was typed when the pa…  1 min

next: team-agent why tester
`);
});

test('F10 open tasks with what they wait for, in 80 columns; those at an end are counted', () => {
  const task = { assignee: null, waits_for: [], confirmation: null };
  const tasks: StatusAnswer['tasks'] = [
    { ...task, id: 'schema', title: 'Design the schema', status: 'running', assignee: 'builder' },
    {
      ...task,
      id: 'api',
      title: 'Build the API on top of the schema, with all of its tests',
      status: 'pending',
      waits_for: ['schema', 'keys'],
    },
    { ...task, id: 'release', title: 'Release', status: 'needs_retry', assignee: 'tester', confirmation: 'wanted' },
    { ...task, id: 'old', title: 'Old', status: 'done' },
  ];
  const lines = statusLines({ ...status, tasks }, look);
  expect(`\n${lines.slice(9, 14).join('\n')}\n`).toBe(`
task     status       for      waits for       title
schema   running      builder  -               Design the schema
api      pending      -        schema, keys    Build the API on top of the sche…
release  needs retry  tester   a person's yes  Release
and 1 done or cancelled
`);
  const many = Array.from({ length: 40 }, (_, index) => ({ ...task, id: `t${index}`, title: 'T', status: 'pending' }));
  expect(statusLines({ ...status, tasks: many }, look)).toContain('and 28 more');
});

test('H02 one agent', () => {
  expect(agentLines('builder', status, look).slice(0, 3)).toEqual([
    'builder  ● working for 12 s, by protocol',
    'asked for      running',
    'provider       scripted',
  ]);
});

test('H03 triage is exactly five lines of at most 80 columns', () => {
  const lines = summaryLines(status, look);
  expect(lines).toHaveLength(5);
  expect(lines[2]).toBe('agents       2: 1 working, 1 exited');
  expect(lines.every((line) => displayWidth(line) <= 80)).toBe(true);
});

test('what nobody observed is not called up or down', () => {
  const offline: StatusAnswer = {
    ...status,
    observed: 'none',
    tmux_session_present: null,
    coordinator: { status: 'absent' },
  };
  const [title, , coordinator] = statusLines(offline, look);
  expect(title).toBe('web shop  not observed  tmux team-web-shop');
  expect(coordinator).toBe('coordinator  absent: what agents do now is not known');
  expect(statusLines(offline, look).at(-1)).toBe('next: team-agent coordinator start');
});
