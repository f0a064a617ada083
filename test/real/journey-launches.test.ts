import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { CLAUDE } from './lease-stage.ts';
import { leaderOf } from './stage.ts';
import { TEAM_AGENT, UserTerminal } from './user-terminal.ts';
import { RealProduct } from './world/real-product.ts';

/** A launched conversation that shows its trust dialog while the coordinator ends. */

let product: RealProduct;
let terminal: UserTerminal;

beforeEach(async () => {
  product = await RealProduct.open({ trustsWorkspace: false });
  terminal = new UserTerminal(product);
});
afterEach(async () => {
  await terminal.end();
  await product.end();
});

/** Says yes to its question. While Claude Code starts it draws that anew, and has forgotten what was chosen. */
async function trusts(): Promise<void> {
  await eventually('the question to be answered', async () => {
    const screen = await terminal.stands();
    if (!screen.includes('Yes, I trust')) return true;
    terminal.keys(screen.includes('❯ Yes') ? 'Enter' : 'Down');
    return false;
  });
}

test.each<[string, () => Promise<unknown>]>([
  ['was stopped', () => product.run(['coordinator', 'stop'])],
  [
    'was killed, and another one started,',
    () => product.killCoordinator().then(() => product.run(['coordinator', 'start'])),
  ],
])('D05 M10 a Claude Code whose coordinator %s before it was trusted leads the team that it starts', async (_, end) => {
  product.writeTeam('solo', [{ id: 'sam', provider: 'scripted' }]);
  const start = `start [[shell ${TEAM_AGENT} quick-start docs/solo]] [[say STARTED]]`;
  terminal.run([TEAM_AGENT, ...CLAUDE, '--', start]);
  await terminal.shows('❯ No, exit');
  const before = product.coordinator() ?? expect.unreachable();
  await end();
  await eventually('it to be gone', () => product.coordinator()?.pid !== before.pid);
  await trusts();
  await terminal.shows(/^● STARTED/m);
  expect(await leaderOf(product)).toMatchObject({ receiver: 'claude', epoch: 1 });
});
