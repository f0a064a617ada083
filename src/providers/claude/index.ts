import type { Provider } from '../shape.ts';
import { ClaudeAttachment } from './attachment.ts';
import { inspect } from './inspect.ts';
import { introduce } from './introduction.ts';
import { plan } from './launch.ts';
import { leading } from './leading.ts';
import { VARIABLES } from './variables.ts';

/** Claude Code: its inbox socket takes messages, its registry, hooks and transcript tell what becomes of them. */
export const claude: Provider = {
  name: 'claude',
  aliases: ['claude-code', 'claude_code'],
  variables: VARIABLES,
  inspect,
  plan,
  introduce,
  attach: (handle, incarnation, terminals) => new ClaudeAttachment(handle, incarnation, terminals),
  leading,
};
