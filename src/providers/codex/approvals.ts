import { firstLine, type IncarnationId, printable } from '../../kernel/index.ts';
import { approvalId } from '../approvals.ts';
import type { Approval, Decision } from '../shape.ts';
import { isObject, type Parameters, type Word } from './server/connection.ts';

/** A question of the server that somebody has to decide: `id` is what its answer has to carry. */
export interface Question {
  readonly request: string | number;
  readonly method: QuestionMethod;
  readonly params: Parameters;
  /** UTC ms. */
  readonly since: number;
}

const KINDS = {
  'item/commandExecution/requestApproval': 'command',
  'item/fileChange/requestApproval': 'edit',
  'item/permissions/requestApproval': 'tool',
  'mcpServer/elicitation/request': 'tool',
  'item/tool/requestUserInput': 'question',
} satisfies Record<string, Approval['kind']>;

type QuestionMethod = keyof typeof KINDS;

/** A request of the server as a question; undefined when it is none for a person. */
export function questionOf({ method, params, id }: Word, now: number): Question | undefined {
  if (id === undefined || !isQuestion(method)) return undefined;
  return { request: id, method, params, since: typeof params.startedAtMs === 'number' ? params.startedAtMs : now };
}

function isQuestion(method: string): method is QuestionMethod {
  return Object.hasOwn(KINDS, method);
}

/** The name of a question, the same for every client and every connection while it is open. */
function nameOf({ method, params, request }: Question): string {
  const item = params.approvalId ?? params.itemId ?? '';
  return `${method} ${params.threadId ?? ''} ${params.turnId ?? ''} ${item} ${request}`;
}

/** A question in the words of an approval. */
export function approvalOf(question: Question, incarnation: IncarnationId, answerable: boolean): Approval {
  return {
    id: approvalId(incarnation, nameOf(question)),
    kind: KINDS[question.method],
    text: firstLine(printable(textOf(question)), 300),
    since: question.since,
    answerable: answerable && canAnswer(question),
  };
}

function textOf({ method, params }: Question): string {
  const reason = typeof params.reason === 'string' ? params.reason : '';
  switch (method) {
    case 'item/commandExecution/requestApproval': {
      const command = oneLine(params.command ?? 'a command');
      return reason ? `run ${command} (${oneLine(reason)})` : `run ${command}`;
    }
    case 'item/fileChange/requestApproval':
      return `change files${params.grantRoot ? ` below ${oneLine(params.grantRoot)}` : ''}${reason ? ` (${oneLine(reason)})` : ''}`;
    case 'item/permissions/requestApproval':
      return `have more permissions: ${oneLine(JSON.stringify(params.permissions ?? {}))}${reason ? ` (${oneLine(reason)})` : ''}`;
    case 'mcpServer/elicitation/request':
      return `${oneLine(params.serverName ?? 'an MCP server')}: ${oneLine(params.message ?? params.title ?? 'asks for something')}`;
    case 'item/tool/requestUserInput':
      return questionsOf(params)
        .map((asked) => oneLine(asked.question ?? asked.header ?? ''))
        .join(' / ');
    default:
      return method satisfies never;
  }
}

function oneLine(value: unknown): string {
  return String(value).replace(/\s+/g, ' ').trim();
}

function questionsOf(params: Parameters): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(params.questions) ? params.questions.filter(isObject) : [];
}

/** Yes and no are no answers to a form with fields, to a page, or to an open question: these wait in the terminal. */
function canAnswer({ method, params }: Question): boolean {
  if (method === 'item/tool/requestUserInput') return false;
  if (method !== 'mcpServer/elicitation/request') return true;
  if (params.mode === 'url' || params.mode === 'openai/userVerification') return false;
  const schema = isObject(params.requestedSchema) ? params.requestedSchema : {};
  return !Array.isArray(schema.required) || schema.required.length === 0;
}

/** The answer that carries a decision. A denied command or edit lets the turn go on: the agent is told of it. */
export function answerTo({ method, params }: Question, decision: Decision): Parameters | undefined {
  const approved = decision.decision === 'approve';
  const forSession = approved && decision.scope === 'session';
  switch (method) {
    case 'item/commandExecution/requestApproval':
    case 'item/fileChange/requestApproval':
      return { decision: approved ? (forSession ? 'acceptForSession' : 'accept') : 'decline' };
    case 'item/permissions/requestApproval':
      return { permissions: approved ? granted(params.permissions) : {}, scope: forSession ? 'session' : 'turn' };
    case 'mcpServer/elicitation/request':
      return approved
        ? { action: 'accept', content: {}, _meta: forSession ? { persist: 'session' } : null }
        : { action: 'decline', content: null, _meta: null };
    case 'item/tool/requestUserInput':
      return undefined;
    default:
      return method satisfies never;
  }
}

/** What was asked for, without what was not. */
function granted(asked: unknown): Parameters {
  return isObject(asked) ? Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== null)) : {};
}
