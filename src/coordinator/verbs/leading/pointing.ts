import { isRefusal, type ProcessIdentity, type Refusal, refuse, sessionMembers } from '../../../kernel/index.ts';
import type { Conversation } from '../../../leader/index.ts';
import { findConversation } from '../../../lifecycle/index.ts';
import { panePid } from '../../../tmux/index.ts';
import { waitingConversations } from '../../leadership.ts';
import type { Asked } from '../verb.ts';

/** What a person points at: a pane of their own tmux server, or one of the conversations that wait, by its CLI. */
export interface Pointer {
  readonly pane?: string | undefined;
  /** The socket of the caller's tmux server; never searched for. */
  readonly tmux?: string | undefined;
  readonly provider?: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

export interface Chosen {
  readonly conversation: Conversation;
}

/** The conversation that is meant: in the pane, else the caller's own, else the only one that leads no team that runs. */
export async function pointedAt(
  { runtime }: Asked,
  pointer: Pointer,
  own: () => Promise<Conversation | undefined>,
): Promise<Chosen | Refusal> {
  if (pointer.pane !== undefined) return inPane(runtime, pointer.pane, pointer);
  const caller = await own();
  if (caller) return { conversation: caller };
  const waiting = (await waitingConversations(runtime)).filter(
    ({ provider }) => pointer.provider === undefined || provider === pointer.provider,
  );
  const [only, ...others] = waiting;
  if (only && others.length === 0) return { conversation: only };
  return refuse(
    'caller_not_leader_shaped',
    only
      ? 'Several conversations wait for a team: point at one with --pane or --provider.'
      : 'No conversation waits for a team: start one, or point at one with --pane.',
    {
      evidence: { candidates: waiting.map(({ incarnation, provider }) => ({ incarnation, provider })) },
      next: only ? ['team-agent leaders'] : ['team-agent claude', 'team-agent codex'],
    },
  );
}

async function inPane(
  { effects }: Asked['runtime'],
  pane: string,
  { tmux, environment }: Pointer,
): Promise<Chosen | Refusal> {
  if (tmux === undefined) {
    return refuse('pane_not_found', `A pane is one of the tmux server that you are in, and this shell is in none.`, {
      evidence: { pane },
      next: ['team-agent leaders'],
    });
  }
  const pid = await panePid(tmux, pane, process.env);
  if (isRefusal(pid)) return pid;
  const processes: readonly ProcessIdentity[] = sessionMembers(pid);
  const agent = effects.roster.around(processes);
  if (agent) {
    return refuse('worker_may_not', `In the pane ${pane} works ${agent.id}, an agent of a team: it never leads one.`, {
      evidence: { pane, agent: agent.id, team: agent.row.team },
      next: ['team-agent leaders', 'team-agent claude', 'team-agent codex'],
    });
  }
  // Whose the caller is says nothing of what runs in the pane.
  const { TEAM_AGENT_TOKEN: _, ...around } = environment;
  const conversation = effects.leaders.byProcess(processes) ?? (await findConversation(effects, processes, around));
  if (conversation) return { conversation };
  return refuse('caller_not_leader_shaped', `No conversation that could lead runs in the pane ${pane}.`, {
    evidence: { pane, processes: processes.map((process) => process.pid) },
    next: ['team-agent leaders', 'team-agent claude', 'team-agent codex'],
  });
}
