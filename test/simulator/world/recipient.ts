import type { Available, Recipient, Unavailable } from '../../../src/agents/index.ts';
import type { AgentId } from '../../../src/kernel/index.ts';
import type { Attachment, Channel, Offer, Settlement } from '../../../src/providers/index.ts';
import type { SimulatedAgent } from './agent.ts';
import type { AgentLife } from './agent-life.ts';
import { SimulatedChannel } from './channel.ts';
import type { Life } from './life.ts';
import type { Scene } from './scene.ts';

/** A simulated agent as the lines of one coordinator see it. */
export class SimulatedRecipient implements Recipient {
  readonly id: AgentId;
  readonly together = 1;
  readonly #agent: SimulatedAgent;
  readonly #generation: () => number | undefined;
  readonly #life: Life;
  readonly #scene: Scene;

  constructor(agent: SimulatedAgent, generation: () => number | undefined, life: Life, scene: Scene) {
    this.id = agent.id;
    this.#agent = agent;
    this.#generation = generation;
    this.#life = life;
    this.#scene = scene;
  }

  get generation(): number | undefined {
    return this.#generation();
  }

  availability(_urgent: boolean): Promise<Available | Unavailable> {
    return this.#life.call(async () => {
      const { life } = this.#agent;
      if (!life || life.generation !== this.generation)
        return { hold: 'agent_not_running', evidence: 'no process runs for it' };
      const channel = new SimulatedChannel(this.#agent, life, this.#scene);
      const state = await channel.state();
      if (state !== 'ready') return state;
      const { incarnation } = life;
      return { channel: remote(channel, this.#life), incarnation, position: () => life.record.length };
    });
  }

  settle(offer: Offer): Promise<Settlement> {
    return this.#life.call(async () => {
      const life = this.#agent.lifeOf(offer.incarnation);
      if (!life) throw new Error(`${this.id} never had a life ${offer.incarnation}`);
      return new SimulatedChannel(this.#agent, life, this.#scene).settle(offer);
    });
  }

  liveness(incarnation: Offer['incarnation']) {
    const life = this.#agent.lifeOf(incarnation);
    return life ? livenessOf(this.#agent, life, this.#scene) : 'dead';
  }
}

/** A conversation that may lead, as its provider shows it to one coordinator. */
export function attachmentOf(agent: SimulatedAgent, life: AgentLife, coordinator: Life, scene: Scene): Attachment {
  const channel = remote(new SimulatedChannel(agent, life, scene), coordinator);
  return {
    facts: () => [],
    greeted: () => true,
    channels: () => [channel],
    position: () => life.record.length,
    missedCalls: () => [],
    openCalls: () => [],
    knows: () => true,
    approvals: () => [],
    decide: async () => ({ not_taken: 'it asks nothing' }),
    hook: async () => ({}),
    onChange: () => undefined,
    onIncident: () => undefined,
    liveness: () => livenessOf(agent, life, scene),
    close: () => undefined,
  };
}

function livenessOf({ troubles }: SimulatedAgent, { alive }: AgentLife, { faults }: Scene) {
  if (!troubles.unprobed) return alive ? 'alive' : 'dead';
  faults.count('liveness unknown');
  return 'unknown';
}

/** Each call to a channel takes a moment, and nothing comes of it when the caller dies meanwhile. */
function remote(channel: Channel, life: Life): Channel {
  return {
    name: channel.name,
    state: () => life.call(() => channel.state()),
    hand: (offer, rendered, from) => life.call(() => channel.hand(offer, rendered, from)),
    settle: (offer) => life.call(() => channel.settle(offer)),
  };
}
