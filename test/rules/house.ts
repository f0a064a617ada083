import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { expect } from 'vitest';
import { Member, Roster, tokenHash } from '../../src/agents/index.ts';
import { Runtime } from '../../src/coordinator/runtime.ts';
import {
  type AgentId,
  agentId,
  type IncarnationId,
  identifyProcess,
  isRefusal,
  type Liveness,
  mint,
  type ProcessIdentity,
  type SessionId,
  Signal,
  systemClock,
  type TeamId,
  teamId,
} from '../../src/kernel/index.ts';
import { type Conversation, changeLead, type Intent, Leaders } from '../../src/leader/index.ts';
import {
  type AgentRow,
  findLeader,
  type IncarnationRow,
  insertLeader,
  ledgerOn,
  putTeam,
} from '../../src/ledger/index.ts';
import { VerbQueue } from '../../src/lifecycle/index.ts';
import type {
  AgentHandle,
  Approval,
  Attachment,
  ChannelHold,
  Decision,
  Incident,
  MissedCall,
  Settlement,
} from '../../src/providers/index.ts';
import { openTerminals } from '../../src/tmux/index.ts';
import { freshFolder } from '../support/files.ts';

export const ONE = teamId('one') ?? expect.unreachable();
export const TWO = teamId('two') ?? expect.unreachable();
export const WORKER = agentId('w') ?? expect.unreachable();
/** A process that never was. */
export const NOBODY: ProcessIdentity = { pid: 4_194_305, start: '1' };

/** A live process around this test, by its identity. */
export function living(pid: number): ProcessIdentity {
  return identifyProcess(pid) ?? expect.unreachable();
}

/** What an attachment of the house answers; a test changes it as it goes. */
export class Puppet {
  liveness: Liveness = 'alive';
  hold: ChannelHold | undefined;
  settlement: Settlement = { outcome: 'taken', receipt: { source: 'record' } };
  approvals: Approval[] = [];
  readonly decided: [string, Decision][] = [];
  answer: 'taken' | { not_taken: string } = 'taken';
  closed = false;
  missed: MissedCall[] = [];
  open: MissedCall[] = [];
  /** What happens while its way in is looked at. */
  whileLooking: () => Promise<unknown> = async () => undefined;
  /** What was handed to it. */
  readonly handed: string[] = [];
  #listener: (incident: Incident) => void = () => undefined;

  /** A person opens another conversation in its terminal. */
  moveTo(session: string, record: string): void {
    const moved = { session: session as SessionId, record };
    this.#listener({ key: `moved:${session}`, kind: 'session_changed', text: 'it moved', session: moved });
  }

  /** Its session is opened in a second process. */
  shareWith(pid: number): void {
    this.#listener({ key: `shared:${pid}`, kind: 'session_shared', text: `Its session is open in ${pid} too.` });
  }

  attachment(): Attachment {
    return {
      facts: () => [],
      greeted: () => true,
      channels: () => [
        {
          name: 'protocol',
          intrudes: true,
          state: async () => {
            await this.whileLooking();
            return this.hold ? { hold: this.hold, evidence: 'the test says so' } : 'ready';
          },
          hand: async ({ delivery }) => {
            this.handed.push(delivery);
            return { handed: 'written' };
          },
          settle: async () => this.settlement,
        },
      ],
      position: () => 7,
      missedCalls: () => this.missed,
      openCalls: () => this.open,
      knows: () => true,
      approvals: () => this.approvals,
      decide: async (approval, decision) => {
        this.decided.push([approval, decision]);
        return this.answer;
      },
      hook: async () => ({}),
      onChange: () => undefined,
      onIncident: (listener) => {
        this.#listener = listener;
      },
      liveness: () => this.liveness,
      close: () => {
        this.closed = true;
      },
    };
  }
}

export type House = Awaited<ReturnType<typeof house>>;

/** The coordinator's rooms on a ledger in memory, with two teams and nobody in them; nothing is started. */
export async function house({ approvals = 'person' as 'person' | 'leader' } = {}) {
  const disk = new DatabaseSync(':memory:', { enableForeignKeyConstraints: true });
  const ledger = await ledgerOn(disk, systemClock);
  if (isRefusal(ledger)) throw new Error(ledger.message);
  for (const team of [ONE, TWO]) {
    const about = { name: team, session_name: `s-${team}`, documents: 'd', objective: 'o' } as const;
    await ledger.change(team, 'person', (change) =>
      putTeam(change, { ...about, intent: 'running', notify: 'each', approvals }),
    );
  }
  const puppets = new Map<string, Puppet>();
  const changed: TeamId[] = [];
  const attach = ({ incarnation }: { incarnation: string }): Attachment => {
    const puppet = puppets.get(incarnation) ?? new Puppet();
    puppets.set(incarnation, puppet);
    return puppet.attachment();
  };
  const roster = new Roster(
    (row) =>
      new Member(row, {
        clock: systemClock,
        attach,
        changed: () => undefined,
        incident: () => undefined,
        former: async () => undefined,
      }),
  );
  const newLeaders = () =>
    new Leaders({
      ledger,
      clock: systemClock,
      attach,
      changed: (team) => changed.push(team),
      shared: (incarnation, incident) => runtime.happenedToLeader(incarnation, incident),
      failed: () => undefined,
    });
  const leaders = newLeaders();
  const folder = freshFolder('house');
  const ended: string[] = [];
  const log = pino({ level: 'silent' });
  const runtime = new Runtime(
    {
      ledger,
      roster,
      leaders,
      terminals: openTerminals({ socket: path.join(folder, 'tmux.sock'), folder, environment: {}, log }),
      queue: new VerbQueue(),
      clock: systemClock,
      mint,
      reach: () => undefined,
      changes: new Signal(systemClock),
      failed: () => undefined,
      workspace: folder,
      runFolder: folder,
      socketFolder: folder,
      mcpUrl: () => '',
      hooksUrl: () => '',
    },
    log,
    { build: 'test', port: 0, endSoon: (why) => ended.push(why) },
  );
  const events = async (type: string) =>
    (await ledger.db.selectFrom('events').selectAll().where('type', '=', type).orderBy('seq').execute()).map((row) => ({
      team: row.team,
      actor: row.actor,
      data: JSON.parse(row.data) as unknown,
    }));
  return { ledger, roster, leaders, newLeaders, runtime, puppets, changed, ended, events };
}

function handleOf(process: ProcessIdentity, terminal?: ProcessIdentity): AgentHandle {
  const session = mint.session();
  return { process, session, record: `/record/${session}`, details: {}, ...(terminal ? { terminal } : {}) };
}

export function agentRow(team: TeamId, agent_id: AgentId): AgentRow {
  return {
    team,
    agent_id,
    generation: 1,
    provider: 'scripted',
    role: 'worker',
    model: null,
    folder: '/',
    script: null,
    prompt: '',
    permission: 'manual',
    position: 0,
    intent: 'running',
    tools: '[]',
    interacted_at: null,
  };
}

/** An agent of a team, running as `process`; returns its token. */
export function agentIn({ roster }: House, team: TeamId, process = NOBODY, id = WORKER) {
  const incarnation = mint.incarnation();
  const token = mint.token();
  const life: IncarnationRow = {
    incarnation,
    team,
    agent_id: id,
    generation: 1,
    host: 'h',
    token_hash: tokenHash(token),
    handle: null,
    calls_read: 0,
    launched_at: 1,
    ready_at: 1,
    ended_at: null,
    exit: null,
  };
  roster.enrol(agentRow(team, id));
  roster.follow(life, handleOf(process));
  return { incarnation, token };
}

export interface Leading {
  readonly incarnation: IncarnationId;
  readonly token: string;
  readonly session: SessionId;
  readonly conversation: Conversation;
}

/** A conversation that may lead, running as `process`, or in `terminal` with `process` as the server behind it. */
export async function conversationIn(
  { ledger, leaders }: House,
  process = NOBODY,
  terminal?: ProcessIdentity,
): Promise<Leading> {
  const incarnation = mint.incarnation();
  const token = mint.token();
  const handle = handleOf(process, terminal);
  await insertLeader(ledger.db, {
    incarnation,
    host: 'h',
    provider: 'claude',
    found: 'launched',
    token_hash: tokenHash(token),
    handle: JSON.stringify(handle),
    began_at: 1,
    ended_at: null,
  });
  const row = await findLeader(ledger.db, incarnation);
  if (!row) throw new Error('its row is gone');
  leaders.honour(row);
  return { incarnation, token, session: handle.session, conversation: leaders.follow(row, handle) };
}

/** Asks for the lead of a team, for a conversation that works in the workspace; true when it leads from now on. */
export async function lead(
  { ledger, leaders }: Pick<House, 'ledger' | 'leaders'>,
  team: TeamId,
  conversation: Conversation,
  wish: { readonly intent?: Intent; readonly confirmed?: boolean; readonly twins?: number } = {},
): Promise<boolean> {
  const { intent = 'acquire', confirmed = false, twins = 0 } = wish;
  const { incarnation, provider, handle } = conversation;
  const session = `${provider}:${handle.session}`;
  const candidate = { kind: 'conversation', incarnation, session, here: true, inside: true, twins } as const;
  const asked = { intent, confirmed, actor: 'coordinator', candidate, conversation };
  const { decision } = await changeLead({ ledger, leaders }, team, asked);
  return decision.decision === 'bind' || decision.decision === 'rebind';
}
