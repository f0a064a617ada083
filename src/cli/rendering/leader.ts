import { printable, shellWord } from '../../kernel/text.ts';
import type { Answers, LeaderAnswer } from '../answers/index.ts';
import { age, type Look } from './look.ts';
import { table } from './table.ts';
import { warningLines } from './warnings.ts';
import { wrap } from './width.ts';

/** The leader's channel by its name: `mailbox` when nobody leads. */
function receiverName(receiver: unknown): string {
  if (typeof receiver === 'string') return receiver;
  if (typeof receiver === 'object' && receiver !== null && 'kind' in receiver) return String(receiver.kind);
  return 'mailbox';
}

/** Who leads a team, on one line: what it does is said when something is wrong with it. */
export function leaderText({ receiver, epoch, state, evidence, held }: LeaderAnswer, team: string): string {
  const name = receiverName(receiver);
  if (name === 'mailbox') return `mailbox: team-agent inbox leader --team ${shellWord(team)}`;
  const trouble = state === 'provider_error' ? `, ${state}: ${printable(evidence?.[0] ?? '')}` : '';
  const hold = trouble === '' && held ? `, held: ${printable(held.evidence)}` : '';
  return `${name}, epoch ${epoch}${trouble}${hold}`;
}

const STATUS = {
  claimed: 'leads now',
  already_bound: 'leads already',
  released: 'given up; mail waits in the mailbox',
} as const;

export function leadLines(answer: Answers['claim-leader'], look: Look): string[] {
  const { paint } = look;
  const who = answer.status === 'released' ? '' : `${receiverName(answer.leader.receiver)} `;
  const hint = answer.inbox_hint;
  return [
    `${paint.bold(answer.team)}  ${paint.green(`${who}${STATUS[answer.status]}`)}  epoch ${answer.owner_epoch}  ${paint.dim(answer.reason)}`,
    `mail waiting: ${answer.waiting}`,
    ...(answer.held ? wrap(`it takes nothing now: ${printable(answer.held.evidence)}`, look.columns) : []),
    ...warningLines(answer.warnings, look),
    ...(hint ? wrap(`${answer.perhaps_seen.length}: ${hint.message} ${hint.command}`, look.columns) : []),
  ];
}

export function leadersLines({ teams, conversations }: Answers['leaders'], look: Look): string[] {
  const led = teams.map((team) => [
    team.team,
    leaderText(team, team.team),
    team.acquired_at ? age(team.acquired_at, look.now) : '',
  ]);
  const found = conversations.map(({ provider, pid, alive, leads, folder }) => [
    provider,
    `process ${pid}`,
    alive,
    leads.join(', ') || 'leads nobody',
    folder ?? '',
  ]);
  return [
    ...table([{ head: 'team' }, { head: 'leader', least: 20 }, { head: 'since' }], led, look),
    ...(found.length === 0
      ? []
      : [
          '',
          ...table(
            [{ head: 'conversation' }, { head: '' }, { head: '' }, { head: 'leads' }, { head: 'folder', least: 10 }],
            found,
            look,
          ),
        ]),
  ];
}

export function identityLines(answer: Answers['identity'], { paint }: Look): string[] {
  const you = answer.you ? `${answer.you.kind}${answer.you.agent_id ? ` ${answer.you.agent_id}` : ''}` : 'not asked';
  return [
    `${paint.bold(answer.uuid_prefix)}  ${paint.dim(answer.source)}`,
    `you          ${you}${answer.you?.leads ? ', and you lead' : ''}`,
    `leader       ${leaderText(answer.leader, answer.team_id)}`,
    `machine      ${answer.machine_fingerprint}`,
    `user         ${answer.os_user}`,
    `workspace    ${answer.workspace_abspath}`,
    `team         ${answer.team_id}`,
    ...(answer.current_pane_id === null ? [] : [`pane         ${answer.current_pane_id}`]),
  ];
}
