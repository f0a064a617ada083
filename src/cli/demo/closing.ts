import { type Look, took } from '../rendering/look.ts';
import type { Played } from './performance.ts';
import type { Left } from './stage.ts';
import { findingsLines, halvesTable, receiptsTable } from './telling.ts';

/** What stays on the screen: the numbers, the findings, each message with its receipt, and that nothing is left. */
export function closingLines(
  folder: string,
  played: Played,
  left: Left,
  times: { readonly start: number; readonly took: number },
  look: Look,
): string[] {
  const { paint } = look;
  const { story, results, halves, deliveries } = played;
  const final = results.find((result) => result.agent_id === 'planner');
  const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
  const inside = { ...look, columns: look.columns - 2 };
  const title = (text: string): string[] => ['', paint.bold(text)];
  return [
    paint.bold(`Three agents surveyed ${folder} in ${took(times.took)}`),
    ...title('Results'),
    ...indent(halvesTable(halves, inside)),
    ...title("The planner's report, as the leader has it"),
    ...indent(findingsLines(final?.summary ?? '', inside)),
    ...title(`Timeline of ${deliveries.length} messages`),
    ...indent(receiptsTable(deliveries, story, times.start, inside)),
    `  ${receiptsText(played)}`,
    ...title('Left behind'),
    `  ${leftText(left, look)}`,
    '',
    `${paint.dim('next:')} ${paint.bold('team-agent quick-start DIR')}   your own team: TEAM.md and agents/*.md in DIR`,
  ];
}

/** The proof of delivery, and how long it took in the middle. */
function receiptsText({ receipts, deliveries }: Played): string {
  const times = deliveries
    .filter(({ to, consumed_at }) => to !== 'leader' && consumed_at)
    .map(({ stored_at, consumed_at }) => (consumed_at ?? 0) - (stored_at ?? 0))
    .sort((one, other) => one - other);
  const median = times[Math.floor(times.length / 2)];
  const speed = median === undefined ? '' : `; median ${took(median)} to be read`;
  return `${receipts.found} of ${receipts.looked} receipts found in the readers' own records${speed}`;
}

function leftText(left: Left, { paint }: Look): string {
  const text = `agents ${left.agents}, processes ${left.processes}, workspace ${left.workspace}`;
  if (left.forced > 0) return paint.red(`${text}; ${left.forced} had to be ended by force`);
  return left.agents + left.processes === 0 && left.workspace === 'removed' ? paint.green(text) : paint.red(text);
}
