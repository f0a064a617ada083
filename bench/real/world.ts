import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { AnthropicModel } from '../../test/real/world/anthropic-model.ts';
import { PrivateHome } from '../../test/real/world/home.ts';
import { OpenAiModel } from '../../test/real/world/openai-model.ts';
import { Ground } from '../ground.ts';
import { type AgentDocument, Project } from '../project.ts';

/** A word of Claude Code's hooks, as a hook of the user's own hears it beside the product's. */
export interface Hooked {
  readonly event: string;
  readonly session: string;
  /** What is submitted. */
  readonly prompt: string;
  /** UTC ms. */
  readonly at: number;
}

/** A user who has Claude Code and Codex, with scripted models, and the ground of the bench in that user's home. */
export interface World {
  readonly ground: Ground;
  readonly anthropic: AnthropicModel;
  readonly openai: OpenAiModel;
  readonly hooked: readonly Hooked[];
  /** A project that the user has trusted, with one team. */
  readonly project: (name: string, members: readonly AgentDocument[]) => Project;
  readonly end: () => Promise<void>;
}

export async function openWorld(): Promise<World> {
  const [anthropic, openai] = await Promise.all([AnthropicModel.start(), OpenAiModel.start()]);
  const home = new PrivateHome({ anthropic: anthropic.url, openai: openai.url });
  const hooks = await listenToHooks();
  const entry = [{ hooks: [{ type: 'http', url: hooks.url, timeout: 5 }] }];
  fs.writeFileSync(
    path.join(home.claude, 'settings.json'),
    JSON.stringify({ hooks: { UserPromptSubmit: entry, Stop: entry } }),
  );
  const ground = new Ground(home.environment);
  let ended: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    await ground.end();
    hooks.close();
    await Promise.all([anthropic.close(), openai.close()]);
    home.remove();
  };
  return {
    ground,
    anthropic,
    openai,
    hooked: hooks.hooked,
    project: (name, members) => {
      const project = new Project(ground, name, members);
      home.commit(project.workspace);
      home.trust(project.workspace);
      return project;
    },
    end: () => {
      ended ??= end();
      return ended;
    },
  };
}

async function listenToHooks(): Promise<{ url: string; hooked: readonly Hooked[]; close: () => void }> {
  const hooked: Hooked[] = [];
  const server = http.createServer(async (request, response) => {
    const at = Date.now();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    const said: { hook_event_name: string; session_id: string; prompt?: string } = JSON.parse(
      Buffer.concat(chunks).toString('utf8'),
    );
    hooked.push({ event: said.hook_event_name, session: said.session_id, prompt: said.prompt ?? '', at });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}/`, hooked, close };
}
