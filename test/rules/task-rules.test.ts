import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitsGlob } from '../../src/results/glob.ts';
import { missingTools, type Routable, routeTask } from '../../src/results/routing.ts';
import {
  afterResult,
  isReady,
  type Standing,
  standingOf,
  TASK_STATUSES,
  waitsFor,
} from '../../src/results/task-rules.ts';
import type { Routing } from '../../src/team/index.ts';

const RESULTS = ['success', 'blocked', 'failed', 'partial'] as const;

describe('F10 what becomes of a task', () => {
  test.each([
    ['success', 0, 0, 'done', 0],
    ['blocked', 2, 1, 'blocked', 1],
    ['failed', 0, 0, 'failed', 0],
    ['partial', 0, 0, 'failed', 0],
    ['failed', 2, 0, 'needs_retry', 1],
    ['partial', 2, 1, 'needs_retry', 2],
    ['failed', 2, 2, 'failed', 2],
    ['success', 2, 2, 'done', 2],
  ] as const)(
    'a result that is %s with %i tries allowed and %i used: %s',
    (result, retry_limit, retry_count, status, used) => {
      const task = { status: 'running', retry_limit, retry_count } as const;
      expect(afterResult(task, result, 'asked')).toEqual({ status, retry_count: used });
    },
  );

  test('a closed task takes no result that nobody asked for, and none takes what an agent says of another one', () => {
    for (const result of RESULTS) {
      const takes = (status: 'done' | 'cancelled' | 'running' | 'failed', standing: Standing) =>
        afterResult({ status, retry_limit: 9, retry_count: 0 }, result, standing) !== undefined;
      const table = (['asked', 'volunteered', 'foreign'] as const).map((standing) =>
        (['running', 'failed', 'done', 'cancelled'] as const).map((status) => takes(status, standing)),
      );
      expect(table).toEqual([
        [true, true, true, false],
        [true, true, false, false],
        [false, false, false, false],
      ]);
    }
  });

  test.each([
    ['ann', 'ann', 'tool', true, 'asked'],
    ['ann', 'bob', 'tool', true, 'asked'],
    ['ann', 'ann', 'tool', false, 'volunteered'],
    [null, 'ann', 'tool', false, 'volunteered'],
    ['ann', 'bob', 'file', false, 'volunteered'],
    ['ann', 'bob', 'tool', false, 'foreign'],
  ] as const)(
    'a task of %s, a result of %s by %s, asked for: %s, is %s',
    (assignee, agent_id, source, asked, standing) => {
      expect(standingOf({ assignee }, { agent_id, source }, asked)).toBe(standing);
    },
  );

  test('it fails after exactly as many tries as are allowed, whatever lies between', () => {
    fc.assert(
      fc.property(
        fc.nat(6),
        fc.array(fc.constantFrom('failed', 'partial', 'blocked'), { maxLength: 20 }),
        (limit, results) => {
          let task: Parameters<typeof afterResult>[0] = { status: 'running', retry_limit: limit, retry_count: 0 };
          let tried = 0;
          for (const result of results) {
            const after = afterResult(task, result, 'asked');
            if (after === undefined) throw new Error('it took nothing');
            if (result !== 'blocked') tried += 1;
            expect(after.retry_count).toBe(Math.min(tried, limit));
            if (result !== 'blocked') expect(after.status).toBe(tried > limit ? 'failed' : 'needs_retry');
            task = { ...task, ...after };
          }
        },
      ),
    );
  });

  test('ready is what may begin: nobody works on it, and all that it builds on is done', () => {
    const deps = JSON.stringify(['a', 'b']);
    const others = new Map([
      ['a', 'done'],
      ['b', 'failed'],
    ] as const);
    const statusOf = (task: string) => others.get(task as 'a');
    expect(waitsFor({ deps }, statusOf)).toEqual(['b']);
    expect(waitsFor({ deps: '["gone"]' }, statusOf)).toEqual(['gone']);
    const ready = TASK_STATUSES.filter((status) => isReady({ status, deps: '["a"]' }, statusOf));
    expect(ready).toEqual(['pending', 'ready', 'needs_retry']);
    expect(TASK_STATUSES.filter((status) => isReady({ status, deps }, statusOf))).toEqual([]);
  });
});

const task = (facts: Partial<Routable> = {}): Routable => ({
  assignee: null,
  type: 'implementation',
  risk: 'high',
  requires_tools: '["execute_bash","fs_write"]',
  files: '["src/shop/cart.ts","README.md"]',
  ...facts,
});
const everybody = () => true;
const to = (assign_to: string, match: object, priority = 0) => ({ id: `to-${assign_to}`, assign_to, priority, match });

describe('E02 who gets a task', () => {
  const routing: Routing = {
    default_assignee: 'anybody',
    rules: [
      to('low', { type: ['implementation'] }),
      to('high', { risk: ['high'] }, 9),
      to('later', { risk: ['high'] }, 9),
    ],
  };

  test('its assignee, then the rule with the highest priority, then the default', () => {
    expect(routeTask(task({ assignee: 'ann' }), routing, everybody)).toEqual({ agent: 'ann', reason: 'assignee' });
    expect(routeTask(task(), routing, everybody)).toEqual({ agent: 'high', reason: 'rule', rule: 'to-high' });
    expect(routeTask(task({ risk: null }), routing, everybody)).toMatchObject({ agent: 'low' });
    const other = task({ risk: 'low', type: 'review' });
    expect(routeTask(other, routing, everybody)).toEqual({ agent: 'anybody', reason: 'default_assignee' });
    expect(routeTask(other, { rules: routing.rules }, everybody)).toBeUndefined();
    expect(routeTask(other, {}, everybody)).toBeUndefined();
  });

  test('who has left the team is passed over', () => {
    const members =
      (...ids: string[]) =>
      (id: string) =>
        ids.includes(id);
    expect(routeTask(task({ assignee: 'ann' }), routing, members('later', 'low'))).toMatchObject({ agent: 'later' });
    expect(routeTask(task({ assignee: 'ann' }), routing, members('ann', 'low'))).toMatchObject({ agent: 'ann' });
    expect(routeTask(task(), routing, members())).toBeUndefined();
  });

  test.each([
    [{ type: ['review', 'implementation'] }, true],
    [{ type: ['review'] }, false],
    [{ requires_tools: ['execute_bash'] }, true],
    [{ requires_tools: ['execute_bash', 'network'] }, false],
    [{ files: ['src/**'] }, true],
    [{ files: ['docs/**', '*.md'] }, true],
    [{ files: ['docs/**'] }, false],
    [{ risk: ['high'], type: ['review'] }, false],
    [{ risk: ['high'], files: ['src/**'], type: ['implementation'] }, true],
    [{}, false],
  ])('a rule with %j fits: %s', (match, fits) => {
    expect(routeTask(task(), { rules: [to('x', match)] }, everybody) !== undefined).toBe(fits);
  });
});

test.each([
  ['src/*.ts', 'src/a.ts', true],
  ['src/*.ts', 'src/deep/a.ts', false],
  ['src/**/*.ts', 'src/a.ts', true],
  ['src/**/*.ts', 'src/deep/er/a.ts', true],
  ['src/**', 'src/deep/a.ts', true],
  ['src/**', 'srcs/a.ts', false],
  ['*.md', 'docs/deep/a.md', true],
  ['./src/a.ts', 'src/a.ts', true],
  ['src/a.ts', './src/a.ts', true],
  ['src/{cart,shop}.ts', 'src/shop.ts', true],
  ['src/{cart,shop}.ts', 'src/ship.ts', false],
  ['a?.ts', 'ab.ts', true],
  ['a?.ts', 'a.ts', false],
  ['a+(b).[ts]', 'a+(b).[ts]', true],
  ['a.ts', 'abts', false],
  ['src/*', 'src/ü 1.ts', true],
])('E02 the glob %s and the path %s: %s', (glob, path, fits) => {
  expect(fitsGlob(path, glob)).toBe(fits);
});

test('E02 a path without wild characters fits itself, and no glob breaks', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string(), (glob, path) => {
      expect(typeof fitsGlob(path, glob)).toBe('boolean');
      if (!/[*?{}]|^\.\//.test(glob)) expect(fitsGlob(glob, glob)).toBe(true);
    }),
  );
});

test.each([
  ['implementation', '[]', [], ['execute_bash', 'fs_write']],
  ['bug_fix', '["network"]', ['fs_write'], ['execute_bash', 'network']],
  ['test', '["fs_write"]', ['fs_write', 'execute_bash'], []],
  ['review', '[]', ['fs_read'], ['git_diff']],
  ['risk_check', '[]', ['fs_read', 'git_diff'], []],
  ['research', '[]', [], ['fs_read']],
  ['architecture', '[]', ['fs_read'], []],
  ['party', '[]', [], []],
  [null, '["git_diff"]', [], ['git_diff']],
])('E18 a task of type %s that requires %s, given to one with %j, lacks %j', (type, requires_tools, tools, missing) => {
  expect(missingTools({ type, requires_tools }, tools)).toEqual(missing);
});
