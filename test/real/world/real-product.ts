import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { Product } from '../../support/product.ts';
import { AnthropicModel } from './anthropic-model.ts';
import { type HomeOptions, PrivateHome } from './home.ts';
import { OpenAiModel } from './openai-model.ts';

/** A role document of an agent that a real command-line tool plays, or a scripted one beside it. */
export interface RealAgent {
  readonly id: string;
  readonly provider: 'claude' | 'codex' | 'scripted';
  /** As in the document; empty means the usual tools of a developer. */
  readonly tools?: readonly string[];
  /** What a scripted agent plays, YAML text. */
  readonly script?: string;
  /** More lines of the head. */
  readonly head?: string;
  /** The text below the head. */
  readonly text?: string;
}

export type RealOptions = Omit<HomeOptions, 'anthropic' | 'openai'> & {
  /** False: the user has never trusted the workspace. */
  readonly trustsWorkspace?: boolean;
  /** More variables of the environment in which the user works. */
  readonly environment?: NodeJS.ProcessEnv;
};

/** The product in a project of a user who has Claude Code and Codex, both with scripted models. */
export class RealProduct extends Product {
  readonly home: PrivateHome;
  readonly anthropic: AnthropicModel;
  readonly openai: OpenAiModel;

  private constructor(home: PrivateHome, anthropic: AnthropicModel, openai: OpenAiModel, options: RealOptions) {
    super('project', { ...home.environment, ...options.environment });
    this.home = home;
    this.anthropic = anthropic;
    this.openai = openai;
    home.commit(this.workspace);
    if (options.trustsWorkspace !== false) home.trust(this.workspace);
  }

  static async open(options: RealOptions = {}): Promise<RealProduct> {
    const [anthropic, openai] = await Promise.all([AnthropicModel.start(), OpenAiModel.start()]);
    const home = new PrivateHome({ ...options, anthropic: anthropic.url, openai: openai.url });
    return new RealProduct(home, anthropic, openai, options);
  }

  override writeTeam(name: string, agents: readonly RealAgent[], head = ''): string {
    const folder = path.join(this.workspace, 'docs', name);
    const roles = path.join(folder, 'agents');
    fs.mkdirSync(roles, { recursive: true });
    fs.writeFileSync(path.join(folder, 'TEAM.md'), `---\nname: ${name}\n${head}---\nA team for a test.\n`);
    for (const { id, provider, tools = [], script, head: more = '', text = 'Do what you are asked.' } of agents) {
      if (script !== undefined) fs.writeFileSync(path.join(roles, `${id}.yaml`), script);
      const plays = script === undefined ? '' : `script: ${id}.yaml\n`;
      const fields = `name: ${id}\nrole: developer\nprovider: ${provider}\ntools: [${tools.join(', ')}]\n${plays}${more}`;
      fs.writeFileSync(path.join(roles, `${id}.md`), `---\n${fields}---\n${text}\n`);
    }
    return folder;
  }

  /** Shuts the teams down and ends the world. Throws when the product has left a process in the home, and ends that too. */
  override async end(): Promise<void> {
    try {
      await super.end();
      await eventually('the command-line tools to have ended', () => this.#processes().length === 0).catch(
        (error: unknown) => {
          throw new Error(`${error}: ${this.#processes().map(commandOf).join('; ')}`);
        },
      );
    } finally {
      for (const pid of this.#processes()) process.kill(pid, 'SIGKILL');
      await Promise.all([this.anthropic.close(), this.openai.close()]);
      this.home.remove();
    }
  }

  /** The processes that were started with this home. */
  #processes(): readonly number[] {
    const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.map(Number).filter((pid) => pid !== process.pid && startedWith(pid, this.home.path));
  }
}

function commandOf(pid: number): string {
  return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
}

function startedWith(pid: number, home: string): boolean {
  try {
    return fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`HOME=${home}`);
  } catch {
    return false; // it has ended meanwhile, or belongs to another user
  }
}
