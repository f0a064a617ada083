import type { Provider } from '../shape.ts';
import { ClaudeAttachment } from './attachment.ts';
import { inspect } from './launch/inspect.ts';
import { introduce } from './launch/introduction.ts';
import { plan } from './launch/plan.ts';
import { VARIABLES } from './launch/variables.ts';
import { leading } from './leading.ts';

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
