/** What an agent's tool calls reach: the team's tools over MCP. */
export { mcpFront } from './front.ts';
