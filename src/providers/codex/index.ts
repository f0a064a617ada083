import { isRefusal, type Refusal, refuse, shellWord } from '../../kernel/index.ts';
import { findCommand, LAUNCH } from '../command.ts';
import type { Inspection, Installation, Provider } from '../shape.ts';
import { CodexAttachment } from './attachment.ts';
import { capabilitiesOf, INSTALL, warningsOf } from './capabilities.ts';
import { introduce, plan, viewOfHandle } from './launch.ts';
import { leading } from './leading/index.ts';
import { resumable } from './resumable.ts';
import { serverFiles } from './server/files.ts';
import { notLoggedIn } from './server/opening.ts';
import {
  configuredVariables,
  excludedFromShells,
  isTrusted,
  mcpServerNames,
  missingLogin,
  readConfig,
} from './settings/config.ts';
import { credentials } from './settings/credentials.ts';
import { enforcement } from './settings/enforcement.ts';
import { TEAM_SERVER } from './settings/overrides.ts';

/** Variables that Codex documents, beside those that its configuration names itself. */
const VARIABLES = [
  'CODEX_HOME',
  'CODEX_SQLITE_HOME',
  'CODEX_API_KEY',
  'CODEX_ACCESS_TOKEN',
  'CODEX_CA_CERTIFICATE',
  'OPENAI_API_KEY',
  'OPENAI_BASE_URL',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
];

/** Codex, each agent behind an app-server of its own: messages go into its thread's queue, the pane is only a view of it. */
export const codex: Provider = {
  name: 'codex',
  aliases: [],
  variables: VARIABLES,
  // It cuts an answer of more than 10,000 bytes in its middle (measured with 0.169.0 and a model that it does not know).
  longestAnswer: 9_000,
  fastMode: true,
  enforcement,
  credentials,
  inspect,
  resumable,
  plan,
  introduce,
  attach: (handle, incarnation, terminals) => new CodexAttachment(handle, incarnation, terminals),
  view: viewOfHandle,
  leftBehind: ({ socket }) => (socket === undefined ? [] : serverFiles(socket)),
  leading,
};

async function inspect({
  agent,
  environment,
  folder,
  trusted,
  credentials,
}: Inspection): Promise<Installation | Refusal> {
  const command = await findCommand('codex', environment, INSTALL);
  if (isRefusal(command)) return command;
  const capabilities = capabilitiesOf(command.version);
  if (isRefusal(capabilities)) return capabilities;
  const config = readConfig(environment);
  if (isRefusal(config)) return config;
  const servers = mcpServerNames(config, folder);
  if (servers.includes(TEAM_SERVER)) return nameTaken(config.file);
  const missing = credentials ? undefined : missingLogin(config, environment);
  if (missing !== undefined) return notLoggedIn(missing);
  const known = isTrusted(config, folder);
  if (!known && !trusted) return notTrusted(agent, folder, config.file);
  return {
    binary: command.binary,
    version: command.version,
    capabilities,
    warnings: warningsOf(command.version, capabilities),
    variables: configuredVariables(config),
    details: {
      home: config.home,
      trust: known ? 'config' : 'person',
      servers: JSON.stringify(servers),
      excluded: JSON.stringify(excludedFromShells(config)),
      ...credentials?.details,
    },
  };
}

function nameTaken(file: string): Refusal {
  return refuse(
    'provider_config_invalid',
    `Codex knows an MCP server ${JSON.stringify(TEAM_SERVER)} already (${file}, or a project's .codex/config.toml): the team's own tools need that name.`,
    { evidence: { file, server: TEAM_SERVER }, next: ['codex mcp list', `codex mcp remove ${TEAM_SERVER}`] },
  );
}

function notTrusted(agent: string, folder: string, file: string): Refusal {
  return refuse(
    'folder_not_trusted',
    `Codex does not trust ${folder}, where ${agent} would work: it would stop at its question about that.`,
    {
      evidence: { folder, agent, file },
      next: [`${LAUNCH} --trust`, `codex -C ${shellWord(folder)}`],
    },
  );
}
