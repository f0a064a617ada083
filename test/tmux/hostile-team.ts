import type { ScriptedAgent } from '../support/product.ts';

/** One hostile agent: what it plays, how many messages it gets, and what may become of them. */
export interface Hostile {
  readonly id: string;
  readonly messages: number;
  /** Every so many messages its trouble comes; 0: never. */
  readonly every: number;
  /**
   * It is typed to: what it dropped can never be proved. So all of its messages expire, and those behind an unproved one may.
   */
  readonly typed?: true;
  /** Dies in the middle of a turn: what is behind that waits for it, for ever. */
  readonly dies?: true;
  readonly script: string;
}

/** A message of trouble has this word in it. */
export const TROUBLE = 'trouble';
/** What the one who drafts leaves half typed. */
export const DRAFT = 'half a thought';

/** Seconds until a message to somebody who is typed to expires. */
export const TTL = 8;

const rule = (steps: string): string => `rules: [{ match: ${TROUBLE}, do: [${steps}] }]\notherwise: [{ say: heard }]\n`;
const pasted = (script: string): string => `channel: paste\n${script}`;

/** Who takes the messages. Together they get all but those that the agents send each other. */
export const HOSTILE: readonly Hostile[] = [
  { id: 'swift', messages: 300, every: 0, script: rule('{ say: heard }') },
  { id: 'typed', messages: 150, every: 0, typed: true, script: pasted(rule('{ say: heard }')) },
  { id: 'slow', messages: 60, every: 0, script: 'otherwise: [{ wait: 120 }]\n' },
  { id: 'sluggish', messages: 40, every: 0, typed: true, script: pasted('otherwise: [{ wait: 120 }]\n') },
  { id: 'asker', messages: 50, every: 10, script: rule('{ show_dialog: "Really?" }, { say: heard }') },
  {
    id: 'prompter',
    messages: 50,
    every: 10,
    typed: true,
    script: pasted(rule('{ show_dialog: "Really?" }, { say: heard }')),
  },
  { id: 'drafter', messages: 50, every: 10, typed: true, script: pasted(rule(`{ draft: "${DRAFT}" }`)) },
  { id: 'narrow', messages: 80, every: 0, typed: true, script: pasted(`columns: 20\n${rule('{ say: heard }')}`) },
  { id: 'flooder', messages: 60, every: 6, script: rule('{ flood: { lines: 2000 } }') },
  { id: 'rapids', messages: 30, every: 6, typed: true, script: pasted(rule('{ flood: { lines: 2000 } }')) },
  { id: 'deaf', messages: 30, every: 15, typed: true, script: pasted(rule('{ ignore_keys: 1500 }')) },
  { id: 'dying', messages: 30, every: 20, dies: true, script: rule('{ wait: 50 }, { crash: SIGKILL }') },
  {
    id: 'mortal',
    messages: 20,
    every: 15,
    dies: true,
    typed: true,
    script: pasted(rule('{ wait: 50 }, { crash: SIGKILL }')),
  },
];

/** So many messages go from agent to agent; each of them is to the one named second. */
export const PEERS: readonly (readonly [from: string, to: string])[] = [
  ['swift', 'typed'],
  ['typed', 'swift'],
  ['narrow', 'swift'],
  ['swift', 'narrow'],
  ['typed', 'slow'],
];
export const PEER_MESSAGES = 50;

export const agents: readonly ScriptedAgent[] = HOSTILE.map(({ id, script }) => ({ id, script }));
