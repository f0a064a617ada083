import { printable } from '../../kernel/text.ts';
import type { Answers, PlanAnswer } from '../answers/index.ts';
import { ago, type Look } from './look.ts';
import { type Cell, table } from './table.ts';
import { warningLines } from './warnings.ts';
import { wrap } from './width.ts';

const COLUMNS = [
  { head: 'agent', least: 8 },
  { head: 'would' },
  { head: 'provider' },
  { head: 'permission' },
  { head: 'because', least: 20 },
];

/** What a verb would do: agent by agent, who keeps them to their tools, who gets the tasks, and what it takes. */
export function planLines(plan: PlanAnswer, look: Look): string[] {
  const { paint } = look;
  const rows = plan.agents.map((agent): Cell[] => [
    agent.agent_id,
    { text: agent.action, paint: (colours) => (agent.action === 'stop' ? colours.yellow : colours.green) },
    agent.provider,
    agent.permission,
    agent.reason,
  ]);
  return [
    `${paint.bold(printable(plan.team))}  ${paint.cyan(`what ${plan.verb} would do`)}; nothing was done  ${paint.dim(`tmux ${printable(plan.session_name)}`)}`,
    '',
    ...table(COLUMNS, rows, look),
    ...toolLines(plan, look),
    ...plan.routes.map(({ task_id, agent_id, reason }) =>
      printable(`task ${task_id} → ${agent_id === null ? 'nobody' : `${agent_id} (${reason})`}`),
    ),
    ...boldLines(plan.safety.agents, look),
    ...warningLines(plan.warnings, look),
    '',
    ...plan.next.map((command) => `${paint.dim('next:')} ${paint.bold(command)}`),
  ];
}

/** Tools that agents were not granted and that nothing but their role text keeps from them. */
function toolLines({ agents }: PlanAnswer, look: Look): string[] {
  const open = Map.groupBy(
    agents.filter(({ argv }) => argv !== undefined),
    ({ tools }) =>
      tools
        .filter(({ granted, enforcement }) => !granted && enforcement === 'prompt_only')
        .map(({ tool }) => tool)
        .join(', '),
  );
  const lines = [...open].flatMap(([tools, of]) => {
    if (tools === '') return [];
    const text = `${of.map(({ agent_id }) => agent_id).join(', ')}: ${tools}`;
    return wrap(text, look.columns - 2).map((line) => `  ${line}`);
  });
  return lines.length === 0 ? [] : ['', look.paint.dim('not granted, but kept away by the role text alone'), ...lines];
}

/** Who acts without asking, and who said yes to that. */
export function boldLines(agents: PlanAnswer['safety']['agents'], look: Look): string[] {
  return agents.flatMap(({ agent_id, granted_by, granted_at }) => {
    const said =
      granted_by === null || granted_at === null
        ? 'nobody said yes to that yet'
        : `${granted_by} said yes to that ${ago(granted_at, look.now)}`;
    return wrap(`${agent_id} runs every command without asking: ${said}`, look.columns).map((line) =>
      look.paint.yellow(line),
    );
  });
}

export function preflightLines(found: Answers['preflight'], look: Look): string[] {
  const { paint } = look;
  const checks = found.checks.flatMap(({ name, agent_id, ok, reason, message }) => {
    const head = `${ok ? paint.green('ok ') : paint.red('no ')} ${name.replaceAll('_', ' ')}${agent_id ? ` ${agent_id}` : ''}`;
    const text = [reason, message].filter((part) => part !== undefined).join(': ');
    return [head, ...(text === '' ? [] : wrap(printable(text), look.columns - 4).map((line) => `    ${line}`))];
  });
  return [
    paint.bold(printable(found.summary)),
    ...checks,
    ...warningLines(found.warnings, look),
    ...found.next_actions.map((command) => `${paint.dim('next:')} ${paint.bold(command)}`),
  ];
}

export function readinessLines(found: Answers['wait-ready'], look: Look): string[] {
  const word = (fact: boolean): string => (fact ? 'yes' : 'no');
  const rows = found.agents.map(({ agent_id, readiness }) => [
    agent_id,
    word(readiness.process_started),
    word(readiness.cli_prompt_ready),
    word(readiness.mcp_ready),
    word(readiness.task_prompt_delivered),
  ]);
  const columns = [
    { head: 'agent', least: 8 },
    { head: 'runs' },
    { head: 'takes input' },
    { head: 'has tools' },
    { head: 'spoken to' },
  ];
  return table(columns, rows, look);
}
