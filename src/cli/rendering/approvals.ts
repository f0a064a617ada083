import { printable } from '../../kernel/text.ts';
import type { Answers } from '../answers/index.ts';
import { age, type Look } from './look.ts';
import { wrap } from './width.ts';

/** Each question with the agent that asks, and how it is answered. */
export function approvalLines({ approvals }: Answers['approvals'], look: Look): string[] {
  const { paint } = look;
  if (approvals.length === 0) return ['no agent asks for anything'];
  const questions = approvals.flatMap(({ id, agent_id, kind, text, since, answerable }) => [
    `${paint.bold(printable(agent_id))}  ${kind}  ${paint.dim(`${age(since, look.now)}  ${id}`)}`,
    ...wrap(printable(text), look.columns - 2).map((line) => `  ${line}`),
    ...(answerable ? [] : [`  ${paint.dim('only its terminal can answer this')}`]),
  ]);
  return [...questions, '', paint.dim('team-agent approve ID, or team-agent deny ID')];
}

export function decidedLines({ id, agent_id, decision }: Answers['approve'], { paint }: Look): string[] {
  return [`${decision === 'approve' ? 'approved' : 'denied'}  ${paint.bold(printable(agent_id))}  ${paint.dim(id)}`];
}
