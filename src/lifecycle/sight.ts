import {
  type AgentId,
  type IncarnationId,
  type Liveness,
  type Mint,
  mint,
  probeProcess,
  type TeamId,
} from '../kernel/index.ts';
import { liveIncarnations, type Reading } from '../ledger/index.ts';
import { handleOf } from './life.ts';

/**
 * What a plan looks at, and nothing that it could change anything with. The effects of a coordinator are one; so is a ledger
 * that nobody has open.
 */
export interface Sight {
  readonly ledger: { readonly db: Reading };
  readonly roster: {
    member(team: TeamId, agent: AgentId): { processLiveness(): Liveness | undefined } | undefined;
  };
  readonly mint: Pick<Mint, 'incarnation' | 'session' | 'token'>;
  /** Real path of the project. */
  readonly workspace: string;
  /** `<workspace>/.team/run`. */
  readonly runFolder: string;
  /** The 0700 folder for sockets. */
  readonly socketFolder: string;
  readonly mcpUrl: () => string;
  readonly hooksUrl: () => string;
}

/** Where a workspace's runtime lies or would lie. */
interface Places {
  readonly workspace: string;
  readonly run: string;
  readonly sockets: string;
}

/**
 * The sight of a process that has no coordinator: the ledger as it lies there, and of each life whether its process still
 * runs. `port` is the loopback port that agents know, 0 when none was chosen yet.
 */
export async function sightOver(db: Reading, places: Places, port: number): Promise<Sight> {
  const alive = new Map<string, Liveness>();
  for (const life of await liveIncarnations(db)) {
    const handle = handleOf(life);
    alive.set(`${life.team} ${life.agent_id}`, handle ? probeProcess(handle.process) : 'unknown');
  }
  const address = `http://127.0.0.1:${port === 0 ? PORT : port}`;
  return {
    ledger: { db },
    roster: {
      member: (team, agent) => {
        const liveness = alive.get(`${team} ${agent}`);
        return liveness && { processLiveness: () => liveness };
      },
    },
    mint,
    workspace: places.workspace,
    runFolder: places.run,
    socketFolder: places.sockets,
    mcpUrl: () => `${address}/mcp`,
    hooksUrl: () => `${address}/hooks`,
  };
}

/** What stands for the port in a plan that was made before any coordinator had chosen one. */
const PORT = '<port>';

/** Lives of a team that may go on, and those that are proved gone and not written down yet. */
export async function livesOf(
  { ledger, roster }: Pick<Sight, 'ledger' | 'roster'>,
  team: TeamId,
): Promise<{ readonly going: readonly AgentId[]; readonly gone: readonly IncarnationId[] }> {
  const lives = await liveIncarnations(ledger.db, team);
  const isGone = (agent: string) => roster.member(team, agent as AgentId)?.processLiveness() === 'dead';
  return {
    going: lives.filter(({ agent_id }) => !isGone(agent_id)).map(({ agent_id }) => agent_id as AgentId),
    gone: lives.filter(({ agent_id }) => isGone(agent_id)).map(({ incarnation }) => incarnation as IncarnationId),
  };
}
