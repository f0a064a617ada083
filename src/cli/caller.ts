/** What says where a conversation keeps its own registry, which one it is, and whether this is an agent's shell. */
const NAMES = ['HOME', 'CLAUDE_CONFIG_DIR', 'CODEX_HOME', 'CODEX_THREAD_ID', 'TEAM_AGENT_TOKEN'];

/** The variables by which the conversation around a caller is found. */
export function callerEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    NAMES.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
