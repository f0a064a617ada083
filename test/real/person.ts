import { eventually } from '../support/eventually.ts';
import { type Answer, ask, type Delivery, tmux } from '../tmux/journey.ts';
import { paneOf } from './stage.ts';
import type { RealProduct } from './world/real-product.ts';

/*
 * What a person does beside a team of real agents: look at a pane, press keys in it, send, answer what a CLI asks.
 */

/** What that pane shows, wrapped lines joined. */
export function shownBy(product: RealProduct, agent: string): string {
  return tmux(product, 'capture-pane', '-p', '-J', '-t', paneOf(product, agent));
}

/** Presses keys in that pane. */
export function press(product: RealProduct, agent: string, ...keys: string[]): void {
  tmux(product, 'send-keys', '-t', paneOf(product, agent), ...keys);
}

/** Sends without waiting for anything, and returns the id of the message. */
export async function sendTo(product: RealProduct, agent: string, text: string): Promise<string> {
  const sent = await ask(product, 'send', agent, text, '--expects', 'nothing');
  if (!sent.ok) throw new Error(`send: ${JSON.stringify(sent)}`);
  return sent.message_id;
}

/** The only delivery of a message once it waits for `reason`. */
export function waitsFor(product: RealProduct, message: string, reason: string): Promise<Delivery> {
  return eventually(`${message} to wait for ${reason}`, async () => {
    const [delivery] = (await ask(product, 'deliveries', message)).deliveries;
    return delivery?.reason === reason ? delivery : undefined;
  });
}

/** A question of a CLI, as `approvals --json` tells it. */
export interface Question {
  readonly id: string;
  readonly agent_id: string;
  readonly kind: string;
  readonly text: string;
  readonly answerable: boolean;
}

/** The questions of an agent that are open now. */
export async function questionsOf(product: RealProduct, agent: string): Promise<readonly Question[]> {
  const { approvals } = await product.json<Answer & { approvals: readonly Question[] }>(['approvals', agent]);
  return approvals;
}
