/** The name under which the team's own tools are an MCP server. */
export const TEAM_SERVER = 'team';

/** How long a call of a team tool may take, s: none of them waits for a person or a model. */
const TOOL_TIMEOUT = 120;

export interface Overrides {
  readonly mcpUrl: string;
  /** The user's MCP servers that stay out. Undefined: everything of the user's comes along, plugins and apps too. */
  readonly without: readonly string[] | undefined;
  /** A folder that is trusted for this life alone, because its person said so. */
  readonly trusted: string | undefined;
  /** The fast mode: more speed, for more of the person's credits. Not named: as the person has set it. */
  readonly fast?: true | undefined;
}

/**
 * What a server of ours is told beside the user's configuration, as `-c` options: nothing is ever written into their
 * config.toml. All MCP servers stand in one table, since a later `mcp_servers` would replace an earlier one.
 */
export function serverOverrides({ mcpUrl, without, trusted, fast }: Overrides): string[] {
  const servers = [
    `${TEAM_SERVER}={url=${toml(mcpUrl)},bearer_token_env_var="TEAM_AGENT_TOKEN",default_tools_approval_mode="approve",tool_timeout_sec=${TOOL_TIMEOUT}}`,
    ...(without ?? []).map((name) => `${toml(name)}={enabled=false}`),
  ];
  const settings = [
    // A message that meets a running turn must not cut its answer.
    'features.instant_interrupt=false',
    // Agents of the team are started by the team: no others inside one.
    'features.multi_agent=false',
    'features.goals=false',
    // A copy of the environment in a file of Codex's own: our token would stand in it.
    'features.shell_snapshot=false',
    // A background server of Codex's own would outlive the agent.
    ...QUIET,
    ...(without === undefined ? [] : ['features.plugins=false', 'features.apps=false', 'features.remote_plugin=false']),
    `mcp_servers={${servers.join(',')}}`,
    // As `/fast on` would keep it (developers.openai.com/codex/speed).
    ...(fast ? ['features.fast_mode=true', 'service_tier="fast"'] : []),
    ...(trusted === undefined ? [] : [`projects={${toml(trusted)}={trust_level="trusted"}}`]),
  ];
  return options(settings);
}

const QUIET = ['features.daemon_auto_start=false', 'check_for_update_on_startup=false', 'analytics.enabled=false'];

/** The same for the program that shows a thread: it starts nothing of its own and asks nothing. */
export function viewOverrides(): string[] {
  return options(QUIET);
}

/** Settings as options of the command line. */
export function options(settings: readonly string[]): string[] {
  return settings.flatMap((setting) => ['-c', setting]);
}

/** A TOML basic string. */
export function toml(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f');
}
