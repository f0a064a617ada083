import { type Reason, type Refusal, refuse, shellWord } from '../../../kernel/index.ts';
import type { Intent, LeaseReason, Outcome } from '../../../leader/index.ts';
import type { TeamRow } from '../../../ledger/index.ts';
import type { Caller } from '../../api/callers.ts';
import type { Pointer } from './pointing.ts';

/** Says which team is meant, where several run. */
export const named = ({ team }: Pick<TeamRow, 'team'>): string => `--team ${shellWord(team)}`;

/** What is typed for each wish; nobody types the two that come by themselves. */
const COMMANDS: Readonly<Record<Intent, string>> = {
  acquire: 'claim-leader',
  rebind: 'claim-leader',
  claim: 'claim-leader',
  takeover: 'takeover',
  attach: 'attach-leader',
  release: 'claim-leader --release',
};

/** What was asked for, and by what a person pointed at who shall lead. */
export interface LeadRequest {
  readonly intent: Intent;
  readonly pointer?: Pick<Pointer, 'pane' | 'provider'>;
}

const pointedBy = ({ pane, provider }: NonNullable<LeadRequest['pointer']> = {}): string[] => [
  ...(pane === undefined ? [] : [`--pane ${shellWord(pane)}`]),
  ...(provider === undefined ? [] : [`--provider ${shellWord(provider)}`]),
];

/** The words of each refusal of the lead: why, and a command that helps whoever asked. */
export function leaseRefusal(
  reason: LeaseReason,
  { intent, pointer }: LeadRequest,
  caller: Caller,
  team: TeamRow,
  { epoch, previous }: Outcome,
): Refusal {
  const inTeam = named(team);
  const holder = previous ? `a ${previous.provider} conversation (session ${previous.session})` : 'nobody';
  const told = (as: Reason, message: string, next: readonly string[]): Refusal =>
    refuse(as, message, { evidence: { reason, intent, owner_epoch: epoch, previous, caller: caller.kind }, next });
  const verb = [COMMANDS[intent], ...pointedBy(pointer)].join(' ');
  const sayIt = `Say --confirm to ${intent === 'release' ? 'give its lead up' : 'take the lead from it'}.`;
  switch (reason) {
    case 'previous_owner_alive_refused':
      return told('force_confirm_required', `${holder} leads ${team.team} and lives. ${sayIt}`, [
        `team-agent ${verb} --confirm ${inTeam}`,
        `team-agent leaders ${inTeam}`,
      ]);
    case 'previous_owner_unknown_refused':
      return told(
        'force_confirm_required',
        `Nobody can tell whether ${holder}, which leads ${team.team}, still lives. ${sayIt}`,
        [`team-agent ${verb} --confirm ${inTeam}`, `team-agent leaders ${inTeam}`],
      );
    case 'ambiguous_candidates':
      return told(
        'ambiguous_candidates',
        `Other conversations work on the same session: none leads ${team.team} before one of them says so.`,
        [`team-agent ${verb} --confirm ${inTeam}`, `team-agent leaders ${inTeam}`],
      );
    case 'owner_epoch_advanced':
      return told(
        'owner_epoch_advanced',
        `${holder} was first: it leads ${team.team} since epoch ${epoch}. Taking the lead from it is a takeover.`,
        [`team-agent leaders ${inTeam}`, `team-agent takeover --confirm ${inTeam}`],
      );
    case 'caller_is_a_worker':
      return told('worker_may_not', 'An agent of a team never leads one. Ask the leader with send_message.', [
        'team-agent send leader "please ..."',
      ]);
    case 'caller_not_leader_shaped':
      return told(
        'caller_not_leader_shaped',
        'This is no conversation that could take the mail: run the command inside one, start one, or point at one that runs.',
        ['team-agent claude', 'team-agent codex', `team-agent attach-leader --pane PANE ${inTeam}`],
      );
    case 'caller_cwd_mismatch':
      return told(
        'caller_cwd_mismatch',
        'That conversation works in a folder outside this project. Attach it by hand if that is meant.',
        [`team-agent attach-leader ${inTeam}`],
      );
    case 'caller_elsewhere':
      return told(
        'caller_elsewhere',
        'That conversation is not of the user that this team belongs to, or its process is gone.',
        [`team-agent identity ${inTeam}`],
      );
    case 'nobody_leads':
      return told(
        'nobody_leads',
        `Nobody who could give it up leads ${team.team}: the conversation that leads does that, or a person in a shell.`,
        [`team-agent leaders ${inTeam}`],
      );
    case 'vacant_acquired':
    case 'previous_owner_dead':
    case 'takeover_confirmed':
    case 'same_session_rebound':
    case 'already_bound':
    case 'released':
      throw new Error(`${reason} is no refusal`);
    default:
      return reason satisfies never;
  }
}

/**
 * A Codex that was started without us: it says which conversation it is, and has no way in of its own. Ours goes on with the
 * same conversation.
 */
export function codexRefusal(thread: string, team: TeamRow): Refusal {
  return refuse(
    'caller_not_leader_shaped',
    'This Codex was started without team-agent: nothing could reach it here. End it, and go on with the same conversation by the command below.',
    {
      evidence: { provider: 'codex', thread },
      next: [`team-agent ${named(team)} codex resume ${shellWord(thread)}`],
    },
  );
}

/** A conversation of our launcher that has no session yet. */
export function unknownYet(team: TeamRow): Refusal {
  return refuse('leader_not_started', 'It was not known in time: its CLI has told no session yet.', {
    next: [`team-agent claim-leader ${named(team)}`],
  });
}

/** The same words for whoever started a team, as a warning beside its answer: `who` should lead it, and does not. */
export function doesNotLead(who: string, { team }: TeamRow, { message, next: [command] }: Refusal): string {
  const help = command === undefined ? '' : ` Next: ${command}`;
  return `${who} does not lead ${team}. ${message}${help}`;
}
