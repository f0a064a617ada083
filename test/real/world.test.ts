import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { RunFolder } from '../../script/leftovers.ts';
import { eventually } from '../support/eventually.ts';
import { freshFolder } from '../support/files.ts';
import { AnthropicModel } from './world/anthropic-model.ts';
import { type CommandLine, pinnedVersion } from './world/command-lines.ts';
import { startGreetingServer } from './world/greeting-server.ts';
import { type HomeOptions, PrivateHome } from './world/home.ts';
import type { ModelServer } from './world/model-server.ts';
import { OpenAiModel } from './world/openai-model.ts';
import { RealProduct } from './world/real-product.ts';

interface World {
  readonly home: PrivateHome;
  readonly anthropic: AnthropicModel;
  readonly openai: OpenAiModel;
  readonly project: string;
}

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open(options: Partial<HomeOptions> = {}): Promise<World> {
  const [anthropic, openai] = await Promise.all([AnthropicModel.start(), OpenAiModel.start()]);
  closing.push(() => Promise.all([anthropic.close(), openai.close()]));
  const retries = { claudeRetries: 1, codexRetries: 1 };
  const home = new PrivateHome({ anthropic: anthropic.url, openai: openai.url, ...retries, ...options });
  closing.push(() => home.remove());
  const project = freshFolder('project');
  home.commit(project);
  home.trust(project);
  return { home, anthropic, openai, project };
}

interface Ran {
  /** The exit code, or what killed it. */
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const environmentOf = ({ home }: World): NodeJS.ProcessEnv => ({ ...process.env, ...home.environment });

/** Runs what the private home's PATH has under the name, to its end. */
function run(world: World, cli: CommandLine, args: readonly string[]): Promise<Ran> {
  const options = { cwd: world.project, env: environmentOf(world), timeout: 60_000 };
  return new Promise((resolve) => {
    const child = execFile(path.join(world.home.bin, cli), args, options, (error, stdout, stderr) =>
      resolve({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

/** One turn without a terminal. */
const TURN: Readonly<Record<CommandLine, (prompt: string) => readonly string[]>> = {
  claude: (prompt) => ['-p', prompt, '--permission-mode', 'manual', '--allowedTools', 'Bash'],
  codex: (prompt) => ['exec', '--json', prompt],
};

const play = (world: World, cli: CommandLine, prompt: string): Promise<Ran> => run(world, cli, TURN[cli](prompt));
const modelOf = (world: World, cli: CommandLine): ModelServer => (cli === 'claude' ? world.anthropic : world.openai);
const CLIS: readonly CommandLine[] = ['claude', 'codex'];

test('there is no interface but loopback', () => {
  const addresses = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []);
  expect(addresses.length).toBeGreaterThan(0);
  expect(addresses.filter(({ internal }) => !internal)).toEqual([]);
});

describe.each(CLIS)('the real %s', (cli) => {
  test('is the pinned one and says what its model says', async () => {
    const world = await open();
    expect((await run(world, cli, ['--version'])).stdout).toContain(pinnedVersion(cli));
    expect(await play(world, cli, 'Hello. [[say bonjour]]')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('bonjour'),
    });
    const model = modelOf(world, cli);
    expect(model.turns).toMatchObject([{ prompt: 'Hello. [[say bonjour]]', results: [], outcome: 'answered' }]);
    expect(model.turns[0]?.system.length).toBeGreaterThan(1000);
    expect(model.turns[0]?.session).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('runs its shell for the model, one call after the other', async () => {
    const world = await open();
    const prompt = `Count. [[shell echo $((6*7)) > ${world.project}/count]] [[shell cat ${world.project}/count]] [[say it is {{result}}]]`;
    const ran = await play(world, cli, prompt);
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(/it is [\s\S]*42/) });
    expect(fs.readFileSync(path.join(world.project, 'count'), 'utf8')).toBe('42\n');
    const { turns } = modelOf(world, cli);
    expect(turns.map(({ results }) => results.length)).toEqual([0, 1, 2]);
    expect(turns[2]?.results[1]).toContain('42');
    expect(turns[0]?.tools).toContain(cli === 'claude' ? 'Bash' : 'exec_command');
    expect(modelOf(world, cli).requestWith('42')).toBe(turns[2]);
  });

  test('calls a tool of the team over MCP', async () => {
    const world = await open();
    const server = await startGreetingServer();
    closing.push(server.close);
    const prompt = 'Hello. [[team greet {"name":"ann"}]] [[say done]]';
    const config = JSON.stringify({ mcpServers: { team: { type: 'http', url: server.url, alwaysLoad: true } } });
    const args =
      cli === 'claude'
        ? ['-p', prompt, '--allowedTools', 'mcp__team', '--strict-mcp-config', '--mcp-config', config]
        : [...TURN.codex(prompt), '-c', `mcp_servers.team={url="${server.url}",default_tools_approval_mode="approve"}`];
    expect(await run(world, cli, args)).toMatchObject({ code: 0 });
    const { turns } = modelOf(world, cli);
    expect(turns.map(({ results }) => results.length)).toEqual([0, 1]);
    expect(turns[0]?.tools).toContain('mcp__team__greet');
    expect(turns[1]?.results[0]).toContain('greeted ann');
  });

  test('keeps everything in the private home', async () => {
    const world = await open();
    await play(world, cli, 'Hello. [[say bonjour]]');
    const records = cli === 'claude' ? `${world.home.claude}/projects` : `${world.home.codex}/sessions`;
    expect(fs.globSync('**/*.jsonl', { cwd: records })).toHaveLength(1);
    expect(fs.readdirSync(process.env.HOME ?? '')).toEqual([]);
  });

  test('stays at work while its answers are held', async () => {
    const world = await open();
    const model = modelOf(world, cli);
    const gate = model.holdAnswers();
    const ran = play(world, cli, 'Hello. [[say bonjour]]');
    const held = await eventually('the request to come', () => model.requestWith('Hello'));
    expect(held.outcome).toBe('open');
    gate.release();
    expect(await ran).toMatchObject({ code: 0 });
    expect(held.outcome).toBe('answered');
  });

  test('that is killed while it waits leaves an abandoned request', async () => {
    const world = await open();
    const model = modelOf(world, cli);
    model.holdAnswers();
    const options = { cwd: world.project, env: environmentOf(world), stdio: 'ignore' as const };
    const child = spawn(path.join(world.home.bin, cli), TURN[cli]('Hello.'), options);
    const ended = once(child, 'exit');
    const held = await eventually('the request to come', () => model.requestWith('Hello'));
    child.kill('SIGKILL');
    await ended;
    await eventually('the request to be abandoned', () => held.outcome === 'abandoned');
  });

  test('comes over one scripted error and one cut connection', async () => {
    const world = await open();
    const ran = await play(world, cli, 'Hello. [[error 500]] [[shell true]] [[cut]] [[say at last]]');
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('at last') });
    const outcomes = modelOf(world, cli).turns.map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['refused', 'answered', 'cut', 'answered']);
  });

  test('can be missing or say another version', async () => {
    const missing = await open({ [cli]: 'missing' });
    const found = (missing.home.environment.PATH ?? '').split(path.delimiter).map((folder) => path.join(folder, cli));
    expect(found.filter((file) => fs.existsSync(file))).toEqual([]);
    const other = await open({ [cli]: { version: "9.8.7 (it's other)" } });
    expect((await run(other, cli, ['--version'])).stdout).toBe("9.8.7 (it's other)\n");
    expect(await play(other, cli, 'Hello. [[say bonjour]]')).toMatchObject({ code: 0 });
  });

  test('does no turn without an account', async () => {
    const world = await open({ loggedIn: false });
    // Codex would look for its own servers before it gives up, so it is only asked.
    const ran = cli === 'claude' ? await play(world, cli, 'Hello.') : await run(world, cli, ['login', 'status']);
    expect(ran).toMatchObject({ code: 1 });
    expect(ran.stdout + ran.stderr).toMatch(/not logged in/i);
    expect(modelOf(world, cli).turns).toEqual([]);
  });
});

test.each([
  { cli: 'claude', status: 401, says: /401/ },
  { cli: 'claude', status: 529, says: /529|overloaded/i },
  { cli: 'codex', status: 500, says: /turn\.failed/ },
] as const)('$cli gives up after a $status that stays', async ({ cli, status, says }) => {
  const world = await open();
  const ran = await play(world, cli, `Hello. [[error ${status} always]] [[say never]]`);
  expect(ran.code).toBe(1);
  expect(ran.stdout).toMatch(says);
  const outcomes = modelOf(world, cli).turns.map(({ outcome }) => outcome);
  expect(outcomes.length).toBeGreaterThan(1);
  expect(new Set(outcomes)).toEqual(new Set(['refused']));
});

test('the product lives in this world and is ended with all that is in it', async () => {
  const product = await RealProduct.open();
  closing.push(() => product.end());
  const folder = product.writeTeam('crew', [
    { id: 'ann', provider: 'scripted', script: 'otherwise: [{ say: "heard" }]\n' },
  ]);
  expect(await product.run(['quick-start', folder])).toMatchObject({ code: 0, stderr: '' });
  const home = product.home.path;
  await product.end();
  expect(fs.existsSync(home)).toBe(false);
});

describe('what a run leaves behind', () => {
  const leftBy = (): RunFolder => {
    const folder = new RunFolder(freshFolder('runs'));
    closing.push(() => folder.remove());
    return folder;
  };
  const whats = async (folder: RunFolder): Promise<readonly string[]> =>
    (await folder.leftovers(0)).map(({ what }) => what);

  test('is a process that hides from everything but the network namespace', async () => {
    const folder = leftBy();
    fs.writeFileSync(folder.namespace, fs.readlinkSync('/proc/self/ns/net'));
    const child = spawn('/bin/sleep', ['1000'], { env: {}, cwd: '/', stdio: 'ignore' });
    closing.push(() => child.kill('SIGKILL'));
    await once(child, 'spawn');
    expect(await whats(folder)).toContainEqual(`process ${child.pid}: /bin/sleep 1000`);
  });

  test('is the socket of a killed Codex server, not that of a living one', async () => {
    const world = await open();
    const folder = leftBy();
    const link = path.join(freshFolder('run'), 's');
    const options = { cwd: world.project, env: environmentOf(world), stdio: 'ignore' as const };
    const server = spawn(path.join(world.home.bin, 'codex'), ['app-server', '--listen', `unix://${link}`], options);
    const ended = once(server, 'exit');
    closing.push(() => server.kill('SIGKILL'));
    const socket = await eventually('the socket', () => fs.existsSync(link) && fs.readlinkSync(link));
    closing.push(
      () => fs.rmSync(socket, { force: true }),
      () => fs.rmSync(`${socket}.lock`, { force: true }),
    );
    await eventually('the server to listen', async () => !(await whats(folder)).includes(socket));
    server.kill('SIGKILL');
    await ended;
    await eventually('both to be found', async () => {
      const found = await whats(folder);
      return found.includes(socket) && found.includes(`${socket}.lock`);
    });
  });
});
