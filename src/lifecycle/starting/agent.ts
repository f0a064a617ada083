import fs from 'node:fs';
import path from 'node:path';
import {
  ensurePrivateFolder,
  isRefusal,
  printable,
  type Refusal,
  shellWord,
  writePrivateFile,
} from '../../kernel/index.ts';
import { findIncarnation, type IncarnationRow, insertSession, updateIncarnation } from '../../ledger/index.ts';
import { type AgentHandle, findProvider, type Introduction } from '../../providers/index.ts';
import type { Team } from '../../team/index.ts';
import type { PaneHandle } from '../../tmux/index.ts';
import { type Effects, READY_DEADLINE } from '../effects.ts';
import { viewOf } from '../life.ts';
import type { PlannedAgent } from './plan.ts';
import { written } from './variables.ts';

export interface Started {
  readonly agent: PlannedAgent;
  /** From the beginning of its launch, ms. */
  readonly ready_ms: number;
}

export interface Failure {
  readonly agent_id: string;
  readonly what: string;
  readonly screen?: readonly string[];
  /** When its own CLI says what stands in the way. */
  readonly refusal?: Refusal;
}

/** The file in a life's folder while somebody waits for its start: our wrapper holds the screen of a command that fails. */
const STARTING = 'starting';

/** The file in a life's folder with its secret variables, as shell commands: our wrapper reads it and removes it. */
const SECRETS = 'secrets';

function exportsOf(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}=${shellWord(value)}\n`)
    .join('');
}

const CUT = 'it was stopped before it was ready';

/** A start that others wait for. */
export interface Waiting {
  /** When its verb began. */
  readonly began: number;
  /** Aborts when it is waited for no longer. */
  readonly cut: AbortSignal;
}

/** Opens the pane, lets the agent introduce itself, shows it, follows it, and waits until it is ready. */
export async function startAgent(
  effects: Effects,
  team: Team,
  agent: PlannedAgent,
  waiting: Waiting,
): Promise<Started | Failure> {
  try {
    return await bringUp(effects, team, agent, waiting);
  } finally {
    fs.rmSync(path.join(agent.request.runFolder, STARTING), { force: true });
  }
}

async function bringUp(
  effects: Effects,
  team: Team,
  agent: PlannedAgent,
  waiting: Waiting,
): Promise<Started | Failure> {
  const agent_id = agent.spec.id;
  if (waiting.cut.aborted) return { agent_id, what: CUT };
  const pane = await spawn(effects, team, agent);
  if (isRefusal(pane)) return { agent_id, what: pane.message, refusal: pane };
  await effects.reach('launch.spawned');
  const told = await introduced(effects, agent, pane, waiting.cut);
  if (isRefusal(told)) return { agent_id, what: told.message, refusal: told, ...(await lastScreen(effects, pane)) };
  const view = told.view && (await openView(effects, team, agent, told.view));
  if (isRefusal(view)) return { agent_id, what: view.message, refusal: view };
  const handle: AgentHandle = {
    process: pane.process,
    pane,
    ...(view ? { view } : {}),
    session: told.session,
    record: told.record,
    ...(agent.launch.socket === undefined ? {} : { socket: agent.launch.socket }),
    exitFile: path.join(agent.request.runFolder, 'exit'),
    details: {
      ...agent.installation.details,
      ...told.details,
      version: agent.installation.version,
      variables: written(agent.given),
      provider: agent.spec.provider,
      ...(agent.spec.profile ? { profile: agent.spec.profile.name, auth_mode: agent.spec.profile.mode } : {}),
    },
  };
  const row = await writeDown(effects, team, agent, handle);
  if (!row) return { agent_id, what: 'its row is gone' };
  return awaitReady(effects, row, handle, agent, waiting);
}

async function spawn(effects: Effects, team: Team, { spec, request, token, launch }: PlannedAgent) {
  const refused = ensurePrivateFolder(request.runFolder);
  if (refused) return refused;
  writePrivateFile(path.join(request.runFolder, 'token'), `${token}\n`);
  // What runs hidden says what is wrong in other ways than on its screen.
  if (!launch.hidden) writePrivateFile(path.join(request.runFolder, STARTING), '');
  for (const file of launch.files) {
    fs.mkdirSync(path.dirname(file.path), { recursive: true, mode: 0o700 });
    if (!file.keeps || !fs.existsSync(file.path)) writePrivateFile(file.path, file.content);
  }
  if (request.credentials)
    writePrivateFile(path.join(request.runFolder, SECRETS), exportsOf(request.credentials.secrets));
  return effects.terminals.open({
    session: team.sessionName,
    window: launch.hidden ? `${spec.id}-server` : spec.id,
    incarnation: request.incarnation,
    folder: spec.folder,
    environment: launch.environment,
    argv: launch.argv,
  });
}

/** What only the started process can tell; given up when its pane goes or its time is up. */
async function introduced(
  { terminals }: Effects,
  { spec, request, installation, launch }: PlannedAgent,
  pane: PaneHandle,
  cut: AbortSignal,
): Promise<Introduction | Refusal> {
  const provider = findProvider(spec.provider);
  if (isRefusal(provider)) return provider;
  const gone = new AbortController();
  const forget = terminals.onGone((incarnation) => {
    if (incarnation === request.incarnation) gone.abort(new Error('its pane has closed'));
  });
  const signal = AbortSignal.any([cut, gone.signal, AbortSignal.timeout(READY_DEADLINE)]);
  try {
    return await provider.introduce({ request, installation, plan: launch, pane, terminals, signal });
  } finally {
    forget();
  }
}

function openView(
  { terminals }: Effects,
  team: Pick<Team, 'sessionName'>,
  { spec, incarnation }: PlannedAgent,
  { argv, environment }: NonNullable<Introduction['view']>,
) {
  return terminals.open({
    session: team.sessionName,
    window: spec.id,
    incarnation: viewOf(incarnation),
    folder: spec.folder,
    environment,
    argv,
  });
}

function writeDown(
  effects: Effects,
  team: Team,
  { spec, incarnation }: PlannedAgent,
  handle: AgentHandle,
): Promise<IncarnationRow | undefined> {
  return effects.ledger.change(team.id, 'coordinator', async (change) => {
    await updateIncarnation(change, incarnation, { handle: JSON.stringify(handle) });
    const life = await findIncarnation(change.tx, incarnation);
    if (!life) return undefined;
    await insertSession(change, {
      team: team.id,
      session_id: handle.session,
      agent_id: spec.id,
      generation: life.generation,
      provider: spec.provider,
      incarnation,
      record: handle.record,
      opened_at: change.now,
      closed_at: null,
    });
    await change.event('agent.spawned', { agent_id: spec.id, incarnation, session_id: handle.session });
    return life;
  });
}

async function awaitReady(
  effects: Effects,
  row: IncarnationRow,
  handle: AgentHandle,
  agent: PlannedAgent,
  { began, cut }: Waiting,
): Promise<Started | Failure> {
  const member = effects.roster.follow(row, handle);
  await effects.reach('launch.attached');
  const over = (): boolean => member?.processLiveness() === 'dead' || fs.existsSync(handle.exitFile ?? '');
  // Our wrapper writes how its command ended before it ends itself, and the screen with it.
  const watcher = fs.watch(agent.request.runFolder, { persistent: false }, () => effects.changes.notify());
  watcher.on('error', () => watcher.close());
  const outcome = await effects.changes
    .until(() => (member?.canBeReady() ? 'ready' : over() ? 'dead' : undefined), READY_DEADLINE, cut)
    .finally(() => watcher.close());
  if (outcome === 'ready') return { agent, ready_ms: effects.clock.now() - began };
  if (cut.aborted) return { agent_id: agent.spec.id, what: CUT };
  const what =
    outcome === 'dead'
      ? 'it ended before it was ready'
      : `it was not ready after ${READY_DEADLINE / 1_000} s: ${member?.missingForReady() ?? 'nobody follows it'}`;
  const pane = handle.view ?? handle.pane;
  return { agent_id: agent.spec.id, what, ...(pane ? await lastScreen(effects, pane) : {}) };
}

/** The end of a pane's screen without its empty tail, printable. */
async function lastScreen({ terminals }: Effects, pane: PaneHandle): Promise<{ screen?: readonly string[] }> {
  const screen = await terminals.screen(pane);
  if (!screen) return {};
  const lines = screen.map((line) => printable(line).trimEnd());
  while (lines.length > 0 && lines.at(-1) === '') lines.pop();
  return { screen: lines.slice(-12) };
}
