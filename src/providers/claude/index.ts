import type { Provider } from '../shape.ts';
import { ClaudeAttachment } from './attachment.ts';
import { credentials } from './launch/credentials.ts';
import { enforcement } from './launch/enforcement.ts';
import { inspect } from './launch/inspect.ts';
import { introduce } from './launch/introduction.ts';
import { plan } from './launch/plan.ts';
import { resumable } from './launch/resumable.ts';
import { VARIABLES } from './launch/variables.ts';
import { leading } from './leading.ts';

/** Claude Code: its inbox socket takes messages, its registry, hooks and transcript tell what becomes of them. */
export const claude: Provider = {
  name: 'claude',
  aliases: ['claude-code', 'claude_code'],
  variables: VARIABLES,
  // So much arrives whole; of 180 kB its model saw the first two, the rest went into a file (measured with 2.1.330).
  longestAnswer: 40_000,
  credentials,
  enforcement,
  inspect,
  resumable,
  plan,
  introduce,
  attach: (handle, incarnation, terminals) => new ClaudeAttachment(handle, incarnation, terminals),
  leading,
};
