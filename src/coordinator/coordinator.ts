import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { Member, Roster } from '../agents/index.ts';
import { type Paths, type Pointer, PROTOCOL, pathsOf } from '../client/index.ts';
import {
  boundariesFrom,
  ensurePrivateFolder,
  type IncarnationId,
  identifyProcess,
  isRefusal,
  mint,
  packageVersion,
  programArgv,
  type Refusal,
  Signal,
  shellWord,
  systemClock,
  writePrivateFile,
} from '../kernel/index.ts';
import { Leaders } from '../leader/index.ts';
import { chosenPort, findIncarnation, keepPort, type Ledger, liveIncarnations, openLedger } from '../ledger/index.ts';
import { type Effects, recover, settleCutOff, VerbQueue } from '../lifecycle/index.ts';
import { findProvider } from '../providers/index.ts';
import { openTerminals } from '../tmux/index.ts';
import { type Door, listenOnLoopback, listenOnSocket } from './api/listening.ts';
import { localApi } from './api/local-api.ts';
import { loopbackApp, type ToolFront } from './api/loopback.ts';
import { Caretaker } from './caretaker.ts';
import { Exporter, type ExporterParts } from './export/exporter.ts';
import { specOfRow } from './export/spec.ts';
import { MissedCalls } from './missed-calls.ts';
import { Runtime } from './runtime.ts';
import { goOnIntroducing } from './verbs/leading/launching.ts';

/** What a coordinator is started with. */
export interface CoordinatorOptions {
  /** Real path of the project. */
  readonly workspace: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Makes the front that serves the agents' tools. */
  readonly toolFront: (runtime: Runtime) => ToolFront;
  /** Called once: it listens, or it cannot. */
  readonly ready: (said: { ok: true; pid: number } | Refusal) => void;
}

/**
 * Runs the coordinator of a workspace until it ends. The order of boot: the ledger (its lock makes this the only one), the
 * doors (agents may call from now on, and wait), then what was cut off is settled, then agents are followed, then lines run.
 */
export async function runCoordinator(options: CoordinatorOptions): Promise<void> {
  process.umask(0o077);
  const paths = pathsOf(options.workspace, options.environment);
  const refused = ensurePrivateFolder(paths.run) ?? ensurePrivateFolder(paths.sockets);
  if (refused) return options.ready(refused);
  const ledger = await openLedger(paths.ledger, systemClock);
  if (isRefusal(ledger)) return options.ready(ledger);

  const booting = Promise.withResolvers<Runtime>();
  const opened = await openDoors(options, paths, ledger, booting.promise);
  if (isRefusal(opened)) {
    await ledger.close();
    return options.ready(opened);
  }
  const runtime = await boot(options, paths, ledger, opened);
  booting.resolve(runtime);
  options.ready({ ok: true, pid: process.pid });
}

interface Doors {
  readonly local: Door;
  readonly loopback: Door;
}

async function openDoors(
  options: CoordinatorOptions,
  paths: Paths,
  ledger: Ledger,
  runtime: Promise<Runtime>,
): Promise<Doors | Refusal> {
  const build = packageVersion();
  const startedAt = systemClock.now();
  const hello = () => ({
    ok: true,
    pid: process.pid,
    protocol: PROTOCOL,
    build,
    uptime_ms: systemClock.now() - startedAt,
  });
  let port = 0;
  const agents = loopbackApp(runtime, options.toolFront, () => port);
  const loopback = await openLoopback(agents, ledger);
  if (isRefusal(loopback)) return loopback;
  port = loopback.port;
  const local = await listenOnSocket(localApi(runtime, hello), paths.socket);
  if (isRefusal(local)) {
    loopback.close();
    return local;
  }
  return { local, loopback };
}

/** How long the port of running agents is waited for, ms: any connection on this machine may have it as its own end for a moment. */
const PORT_PATIENCE = 2_000;

/** The port is chosen once per workspace: running agents know no other. Without any, a taken one is given up for a new one. */
async function openLoopback(app: Parameters<typeof listenOnLoopback>[0], ledger: Ledger): Promise<Door | Refusal> {
  const { host } = ledger.ownership;
  const chosen = await chosenPort(ledger.db, host);
  const agentsLive = (await liveIncarnations(ledger.db)).length > 0;
  const deadline = performance.now() + (agentsLive ? PORT_PATIENCE : 0);
  let first = await listenOnLoopback(app, chosen);
  while (isRefusal(first) && performance.now() < deadline) {
    await pause(100);
    first = await listenOnLoopback(app, chosen);
  }
  const door = isRefusal(first) && !agentsLive ? await listenOnLoopback(app, 0) : first;
  if (!isRefusal(door) && door.port !== chosen) await keepPort(ledger.db, host, door.port);
  return door;
}

async function boot(options: CoordinatorOptions, paths: Paths, ledger: Ledger, doors: Doors): Promise<Runtime> {
  const log = pino(
    { level: options.environment.TEAM_AGENT_LOG ?? 'info', base: null, redact: ['token', '*.token'] },
    { write: logWriter(process.stdout.fd) },
  );
  const build = packageVersion();
  const terminals = openTerminals({ socket: paths.tmux, folder: paths.run, environment: options.environment, log });
  const changes = new Signal(systemClock);
  const ending = Promise.withResolvers<string>();
  let runtime: Runtime | undefined;
  const roster = new Roster(
    (row) =>
      new Member(row, {
        clock: systemClock,
        // A role document may name another provider from one life to the next; lives of old told none.
        attach: (life, handle) =>
          providerOf(handle.details.provider ?? row.provider).attach(
            handle,
            life.incarnation as IncarnationId,
            terminals,
          ),
        changed: (member) => runtime?.saw(member),
        incident: (member, incident) => runtime?.happened(member, incident),
        former: (incarnation) => findIncarnation(ledger.db, incarnation),
      }),
  );
  const leaders = new Leaders({
    ledger,
    clock: systemClock,
    attach: (row, handle) => providerOf(row.provider).attach(handle, row.incarnation as IncarnationId, terminals),
    changed: (team) => runtime?.sawLeader(team),
    shared: (incarnation, incident) => runtime?.happenedToLeader(incarnation, incident),
    failed: (error) => log.error({ err: error }, 'what a leader works on was not stored'),
  });
  const effects: Effects = {
    ledger,
    roster,
    leaders,
    terminals,
    queue: new VerbQueue((touched) => settleCutOff(effects, touched)),
    clock: systemClock,
    mint,
    reach: boundariesFrom(options.environment),
    changes,
    failed: (error, what) => log.error({ err: error }, what),
    workspace: paths.workspace,
    runFolder: paths.run,
    socketFolder: paths.sockets,
    mcpUrl: () => `http://127.0.0.1:${doors.loopback.port}/mcp`,
    hooksUrl: () => `http://127.0.0.1:${doors.loopback.port}/hooks`,
  };
  runtime = new Runtime(effects, log, { build, port: doors.loopback.port, endSoon: ending.resolve });
  const missed = new MissedCalls(runtime);
  runtime.onSeen((member) => {
    if (member.incarnation) void missed.look(member, member.incarnation);
  });
  writePointer(paths, build, doors.loopback.port);
  await terminals.attach();
  await terminals.reviveWith(reviveCommand(paths, options.environment));
  const lives = await liveIncarnations(ledger.db);
  await leaders.takeUp();
  await recover(effects);
  await missed.atBoot(lives);
  const workspaceIsThere = () => fs.existsSync(paths.ledger);
  const specOf: ExporterParts['specOf'] = (team, folder) => specOfRow(paths.workspace, team, folder);
  const exporter = new Exporter({ ledger, clock: systemClock, log, workspaceIsThere, specOf });
  const caretaker = new Caretaker(runtime, missed, exporter, paths, doors, ending.promise);
  caretaker.begin();
  goOnIntroducing(runtime);
  await caretaker.wakeAll();
  await exporter.catchUp();
  log.info({ pid: process.pid, port: doors.loopback.port, workspace: paths.workspace }, 'coordinator listens');
  return runtime;
}

/** Writes the log. A full disk must not end what can still serve: lines that could not be written are counted and lost. */
function logWriter(descriptor: number): (line: string) => void {
  let lost = 0;
  return (line) => {
    try {
      fs.writeSync(
        descriptor,
        lost === 0 ? line : `${JSON.stringify({ level: 40, lost, msg: 'log lines lost' })}\n${line}`,
      );
      lost = 0;
    } catch {
      lost += 1;
    }
  };
}

function providerOf(name: string) {
  const provider = findProvider(name);
  if (isRefusal(provider)) throw new Error(provider.message);
  return provider;
}

function writePointer(paths: Paths, build: string, port: number): void {
  const self = identifyProcess(process.pid);
  const pointer: Pointer = {
    pid: process.pid,
    start: self?.start ?? '',
    socket: paths.socket,
    port,
    build,
    protocol: PROTOCOL,
    started_at: systemClock.now(),
  };
  writePrivateFile(paths.pointer, JSON.stringify(pointer));
  writePrivateFile(paths.socketsFile, JSON.stringify({ workspace: paths.workspace, folder: paths.sockets }));
}

/** What our tmux server runs when our client is cut off: the one keeper of this process. Its own environment is bare. */
function reviveCommand(paths: Paths, environment: NodeJS.ProcessEnv): string {
  const kept = ['XDG_RUNTIME_DIR', 'TMPDIR', 'TEAM_AGENT_LOG'].flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [`${name}=${shellWord(value)}`];
  });
  const argv = [...programArgv('cli'), 'coordinator', 'ensure', '--workspace', paths.workspace];
  return [...kept, ...argv.map(shellWord)].join(' ');
}
