import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type AgentId, type IncarnationId, isRefusal, refuse } from '../../src/kernel/index.ts';
import { agentsOf, discardSessions, insertIncarnation, insertSession, upsertAgent } from '../../src/ledger/index.ts';
import { VerbQueue } from '../../src/lifecycle/index.ts';
import { conversationFor } from '../../src/lifecycle/starting/conversation.ts';
import { decideStart, type Remembered, type StartDecision } from '../../src/lifecycle/starting/decide.ts';
import type { Installation } from '../../src/providers/index.ts';
import { capabilities } from '../../src/providers/scripted/capabilities.ts';
import type { AgentSpec } from '../../src/team/index.ts';
import { freshFolder } from '../support/files.ts';
import { type House, house, ONE, TWO } from './house.ts';

describe('G12 the restart table', () => {
  test.each<[boolean, Remembered, StartDecision, StartDecision]>([
    // interacted, its session, without --allow-fresh, with it
    [true, 'resumable', 'resume', 'resume'],
    [true, 'unknown', 'resume', 'resume'],
    [true, 'gone', 'refuse', 'fresh'],
    [true, 'none', 'refuse', 'fresh'],
    [false, 'resumable', 'resume', 'resume'],
    [false, 'unknown', 'resume', 'resume'],
    [false, 'gone', 'fresh', 'fresh'],
    [false, 'none', 'fresh', 'fresh'],
  ])('G12 Z35 interacted %s, session %s: %s, with --allow-fresh %s', (interacted, session, without, withIt) => {
    expect(decideStart({ interacted, session, allowFresh: false })).toBe(without);
    expect(decideStart({ interacted, session, allowFresh: true })).toBe(withIt);
  });
});

let at: House;
afterEach(() => at?.ledger.close());

const A = 'a' as AgentId;
const installation: Installation = { binary: '', version: '1', capabilities, warnings: [], details: {} };
const consent = { allow_fresh: false, command: 'team-agent restart --team one' };

interface Past {
  readonly interacted: boolean;
  readonly provider?: string;
  /** What the record holds; undefined: it is not there. */
  readonly record?: string | undefined;
  readonly discarded?: boolean;
  /** What the handle of its life keeps. */
  readonly details?: Readonly<Record<string, string>>;
}

const LIFE = `${JSON.stringify({ type: 'session', at: 1, pid: 1, start: '1', session: 's-one', incarnation: 'i-one' })}\n`;

/** An agent `a` of team one with one life behind it, and one of the same name in team two. */
async function past({ interacted, provider = 'scripted', record, discarded = false, details }: Past) {
  at = await house();
  const file = path.join(freshFolder('records'), 'old.jsonl');
  if (record !== undefined) fs.writeFileSync(file, record);
  const one = { agent_id: A, generation: 1, role: 'r', model: null, folder: '/', prompt: 'p', position: 0 };
  const member = { ...one, script: null, permission: 'manual', tools: '[]', intent: 'stopped' as const };
  for (const team of [ONE, TWO]) {
    await at.ledger.change(team, 'person', async (change) => {
      const interacted_at = interacted ? 5 : null;
      await upsertAgent(change, { ...member, team, provider: 'scripted', interacted_at });
      const incarnation = `i-${team}` as IncarnationId;
      const life = { host: at.ledger.ownership.host, token_hash: incarnation, handle: null, calls_read: 0 };
      const handle = details ? JSON.stringify({ details }) : null;
      const times = { launched_at: 1, ready_at: 2, ended_at: 3, exit: null };
      await insertIncarnation(change, { incarnation, team, agent_id: A, generation: 1, ...life, ...times, handle });
      const session = { team, session_id: `s-${team}`, agent_id: A, generation: 1, provider, incarnation };
      await insertSession(change, { ...session, record: file, opened_at: 1, closed_at: 3 });
      if (discarded && team === ONE) await discardSessions(change, A);
    });
  }
  const spec = { id: A, provider: 'scripted', folder: '/' } as AgentSpec;
  const decide = async (
    more: Partial<typeof consent> & Pick<AgentSpec, 'profile'> = {},
    found: Installation = installation,
  ) => {
    const [row] = await agentsOf(at.ledger.db, ONE);
    if (!row) throw new Error('nobody is there');
    return conversationFor(at.ledger.db, row, { ...spec, ...more }, found, { ...consent, ...more });
  };
  return { decide, file };
}

describe('G12 what a start goes on with', () => {
  test('G12 a session whose record holds a life is resumed, with consent to a fresh one too', async () => {
    const { decide, file } = await past({ interacted: true, record: LIFE });
    for (const allow_fresh of [false, true]) {
      expect(await decide({ allow_fresh })).toMatchObject({
        action: 'resume',
        continues: { how: 'resume', session: `s-${ONE}`, record: file },
      });
    }
  });

  test.each<[string, Past, RegExp]>([
    ['the record is gone', { interacted: true }, /its record is not there/],
    ['the record holds nothing', { interacted: true, record: '' }, /nothing was ever said in it/],
    ['it is of another provider', { interacted: true, record: LIFE, provider: 'codex' }, /a conversation of codex/],
  ])('G12 Z63 %s: refused with the reason, a fresh one with consent', async (_, before, why) => {
    const { decide } = await past(before);
    const refused = await decide();
    if (!isRefusal(refused)) throw new Error('not refused');
    expect(refused).toMatchObject({
      reason: 'resume_unavailable',
      evidence: { agent: 'a', session_id: `s-${ONE}`, first_send_at: 5 },
      next: ['team-agent restart --team one --allow-fresh'],
    });
    expect(refused.message).toMatch(why);
    expect(await decide({ allow_fresh: true })).toEqual({ action: 'fresh', reason: expect.stringMatching(why) });
  });

  test('G12 B08 a conversation with one compatible endpoint is not gone on with at another, but by somebody who gives it up', async () => {
    const details = { provider: 'scripted', profile: 'kimi', auth_mode: 'compatible_api' };
    const { decide } = await past({ interacted: true, record: LIFE, details });
    const profile = { name: 'glm', mode: 'compatible_api', file: '/glm.env' } as const;
    const refused = await decide({ profile });
    expect(refused).toMatchObject({
      reason: 'resume_unavailable',
      message: expect.stringMatching(/held with the profile kimi, and the one of now is glm/),
      next: ['team-agent restart --team one --allow-fresh'],
    });
    expect(await decide({ profile, allow_fresh: true })).toMatchObject({ action: 'fresh' });
    const resumed = { action: 'resume', before: details };
    expect(await decide({ profile: { ...profile, name: 'kimi' } })).toMatchObject(resumed);
    expect(await decide()).toMatchObject(resumed);
  });

  test('G12 where nobody spoke, what is gone is no loss', async () => {
    const { decide } = await past({ interacted: false });
    expect(await decide()).toEqual({ action: 'fresh', reason: expect.stringMatching(/its record is not there/) });
  });

  test('G12 Z63 a CLI that cannot resume is refused, where somebody spoke', async () => {
    const { decide } = await past({ interacted: true, record: LIFE });
    const old = { ...installation, capabilities: { ...capabilities, resume: false } };
    expect(await decide({}, old)).toMatchObject({ reason: 'resume_unavailable' });
  });

  test('G04 a record that cannot be read is tried', async () => {
    const { decide, file } = await past({ interacted: true });
    fs.mkdirSync(file);
    expect(await decide()).toMatchObject({ action: 'resume', continues: { session: `s-${ONE}` } });
  });

  test('G05 Z27 a session that was given up is not resumed though its record lies there; the same name in another team keeps its own', async () => {
    const { decide } = await past({ interacted: true, record: LIFE, discarded: true });
    expect(await decide()).toEqual({ action: 'start', reason: 'it has no conversation yet' });
    const rows = await at.ledger.db.selectFrom('agents').select(['team', 'interacted_at']).orderBy('team').execute();
    expect(rows.map(({ interacted_at }) => interacted_at).sort()).toEqual([5, null].sort());
    expect(rows.find(({ team }) => team === ONE)?.interacted_at).toBeNull();
  });
});

test('G12 a conversation somebody spoke in is lost only to somebody who says so', () => {
  const facts = fc.record({
    interacted: fc.boolean(),
    session: fc.constantFrom<Remembered>('resumable', 'unknown', 'gone', 'none'),
    allowFresh: fc.boolean(),
  });
  fc.assert(
    fc.property(facts, (given) => {
      const decision = decideStart(given);
      if (decision === 'fresh') expect(given.allowFresh || !given.interacted).toBe(true);
      if (decision !== 'resume') expect(['gone', 'none']).toContain(given.session);
      // Consent takes nothing away that could be gone on with.
      if (decision === 'resume') expect(decideStart({ ...given, allowFresh: !given.allowFresh })).toBe('resume');
      if (given.allowFresh) expect(decision).not.toBe('refuse');
    }),
  );
});

describe('G02 verbs take turns', () => {
  const touching = fc.record({ team: fc.constantFrom(ONE, TWO), agent: fc.option(fc.constantFrom('a', 'a1')) });

  test('G02 Z31 no two verbs that touch the same agent overlap, none waits for a stranger, each runs once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(touching, { maxLength: 12 }), fc.infiniteStream(fc.nat(3)), async (asked, turns) => {
        const queue = new VerbQueue();
        const running: (typeof asked)[number][] = [];
        const order: number[] = [];
        const meet = (one: (typeof asked)[number], other: (typeof asked)[number]) =>
          one.team === other.team && (one.agent === null || other.agent === null || one.agent === other.agent);
        await Promise.all(
          asked.map((touched, index) => {
            const { team, agent } = touched;
            return queue.run({ team, ...(agent === null ? {} : { agent: agent as AgentId }) }, async () => {
              expect(running.some((other) => meet(touched, other))).toBe(false);
              running.push(touched);
              order.push(index);
              for (let left = Number(turns.next().value); left > 0; left -= 1) await Promise.resolve();
              running.splice(running.indexOf(touched), 1);
            });
          }),
        );
        expect([...order].sort((one, other) => one - other)).toEqual(asked.map((_, index) => index));
        for (const [index, touched] of asked.entries()) {
          const before = asked.slice(0, index).filter((other) => meet(other, touched));
          for (const one of before) expect(order.indexOf(asked.indexOf(one))).toBeLessThan(order.indexOf(index));
        }
      }),
    );
  });

  test('G02 a verb that fails leaves the way free, and one that ends agents cuts short only those that touch them', async () => {
    const queue = new VerbQueue();
    const aborted = async (cut: AbortSignal) => {
      if (!cut.aborted) await once(cut, 'abort');
    };
    const waits = (agent: string, team = ONE) => queue.run({ team, agent: agent as AgentId }, aborted);
    const cut = waits('a');
    let others = 0;
    const untouched = [waits('a1'), waits('a', TWO)].map((one) => one.then(() => (others += 1)));
    await queue.runAtOnce({ team: ONE, agent: A }, async () => 'stopped');
    await cut;
    expect(others).toBe(0);
    await expect(queue.run({ team: ONE, agent: A }, () => Promise.reject(new Error('x')))).rejects.toThrow('x');
    expect(await queue.run({ team: ONE, agent: A }, async () => 'next')).toBe('next');
    for (const team of [ONE, TWO]) await queue.runAtOnce({ team }, async () => undefined);
    await Promise.all(untouched);
    expect(others).toBe(2);
  });

  test('G14 nothing begins in a queue that was closed, and what runs there comes to its end', async () => {
    const queue = new VerbQueue();
    const over = Promise.withResolvers<string>();
    const running = queue.run({ team: ONE }, () => over.promise);
    queue.close();
    let begun = false;
    for (const team of [ONE, TWO])
      void queue.runAtOnce({ team }, async () => {
        begun = true;
      });
    over.resolve('done');
    expect(await running).toBe('done');
    await new Promise((resolve) => setImmediate(resolve));
    expect([begun, queue.isIdle()]).toEqual([false, true]);
  });

  test('G01 a verb that ends one agent waits for a start of the whole team, and one that is refused cuts nobody short', async () => {
    const queue = new VerbQueue();
    const launched = Promise.withResolvers<void>();
    const cuts: AbortSignal[] = [];
    const starts = (touched: { agent?: AgentId }, over: Promise<unknown>) =>
      queue.run({ team: ONE, ...touched }, async (cut) => {
        cuts.push(cut);
        await over;
      });
    const launch = starts({}, launched.promise);
    const touched = { team: ONE, agent: A };
    const refusal = refuse('agent_not_found', 'nobody');
    const never = () => Promise.reject(new Error('it was refused'));
    expect(await queue.runAtOnceUnlessRefused(touched, async () => refusal, never)).toBe(refusal);
    const stop = queue.runAtOnceUnlessRefused(
      touched,
      async () => ({}),
      async () => cuts.map(({ aborted }) => aborted),
    );
    await Promise.resolve();
    launched.resolve();
    await launch;
    expect(await stop).toEqual([false]);
    const start = starts({ agent: A }, Promise.resolve());
    expect(await queue.runAtOnceUnlessRefused(touched, async () => refusal, never)).toBe(refusal);
    await start;
    expect(cuts.map(({ aborted }) => aborted)).toEqual([false, false]);
    // With nobody in its way it is planned once, in its turn.
    expect(await new VerbQueue().runAtOnceUnlessRefused(touched, never, async () => 'done')).toBe('done');
  });
});
