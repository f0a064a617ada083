import { packageVersion } from '../../kernel/index.ts';
import type { Provider } from '../shape.ts';
import { ScriptedAttachment } from './attachment.ts';
import { capabilities } from './capabilities.ts';
import { credentials } from './credentials.ts';
import { enforcement } from './enforcement.ts';
import { introduce, plan, resumable } from './launch.ts';

/** An agent without a model: it plays a script. It runs the demo, and users' tests of their team's plumbing. */
export const scripted: Provider = {
  name: 'scripted',
  aliases: ['fake'],
  variables: [],
  credentials,
  enforcement,
  inspect: async () => ({ binary: '', version: packageVersion(), capabilities, warnings: [], details: {} }),
  resumable,
  plan,
  introduce,
  attach: (handle, incarnation, terminals) => new ScriptedAttachment(handle, incarnation, terminals),
};
