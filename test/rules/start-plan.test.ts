import { describe, expect, test } from 'vitest';
import { covers, type Policy } from '../../src/lifecycle/planning/grants.ts';
import { startInOrder, withinLimit } from '../../src/lifecycle/planning/order.ts';

const agents = ['a', 'b', 'c', 'd'].map((id) => ({ id }));

describe('who starts', () => {
  test('C11 at most so many, the first of the order; without a limit all of them', () => {
    expect(withinLimit(agents, 3)).toEqual({ starting: agents.slice(0, 3), waiting: agents.slice(3) });
    expect(withinLimit(agents, 9)).toEqual({ starting: agents, waiting: [] });
    expect(withinLimit(agents, null)).toEqual({ starting: agents, waiting: [] });
  });

  /** Starts that end when they are told to. */
  function stage() {
    const begun: string[] = [];
    const ends = new Map<string, (outcome: string) => void>();
    const over = startInOrder(
      agents,
      ({ id }) => id === 'b' || id === 'd',
      ({ id }) => {
        begun.push(id);
        return new Promise<string>((resolve) => ends.set(id, resolve));
      },
      (outcome) => outcome === 'failed',
    );
    return { begun, over, end: (id: string, outcome: string) => ends.get(id)?.(outcome) };
  }

  test('C11 those that startup_order names start one after another, the others at once beside them', async () => {
    const { begun, over, end } = stage();
    expect(begun.toSorted()).toEqual(['a', 'b', 'c']);
    for (const id of ['a', 'c']) end(id, id);
    await Promise.resolve();
    expect(begun).not.toContain('d');
    end('b', 'b');
    await expect.poll(() => begun).toContain('d');
    end('d', 'd');
    expect(await over).toEqual(['b', 'd', 'a', 'c']);
  });

  test('C11 nobody is started behind one that failed', async () => {
    const { begun, over, end } = stage();
    for (const id of ['a', 'c']) end(id, id);
    end('b', 'failed');
    expect(await over).toEqual(['failed', 'a', 'c']);
    expect(begun).not.toContain('d');
  });
});

describe('what a yes is for', () => {
  const policy: Policy = {
    agent_id: 'bold',
    provider: 'claude',
    permission: 'bypass',
    tools: ['fs_read', 'fs_write'],
    folder: '/w',
  };

  test.each([
    ['the same', {}, true],
    ['a tool less', { tools: ['fs_read'] }, true],
    ['a tool more', { tools: ['execute_bash', 'fs_read', 'fs_write'] }, false],
    ['another agent', { agent_id: 'other' }, false],
    ['another CLI', { provider: 'codex' }, false],
    ['another folder', { folder: '/' }, false],
    ['another mode', { permission: 'auto' }, false],
  ] as const)('C04 %s: covered %s', (_, change, expected) => {
    expect(covers(policy, { ...policy, ...change })).toBe(expected);
  });
});
