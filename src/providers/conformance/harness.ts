import type { DeliveryId } from '../../kernel/index.ts';
import type { PaneHandle, Terminals } from '../../tmux/index.ts';
import type { AgentHandle, Attachment, LaunchRequest, Provider } from '../shape.ts';

/** A live agent that the harness has launched and attached to. */
export interface LiveAgent {
  readonly handle: AgentHandle & { readonly pane: PaneHandle };
  readonly attachment: Attachment;
  readonly request: LaunchRequest;
  readonly terminals: Terminals;
  /** Ends the agent as a crash would. */
  kill(): void;
}

/** What a provider's tests bring along. Each agent it launches is ended by the harness itself, afterwards. */
export interface ConformanceHarness {
  readonly provider: Provider;
  /** A launch that works. */
  request(): LaunchRequest;
  /** A launch that the provider has to refuse, when it looks at the machine or when it plans. */
  impossible(): LaunchRequest;
  /**
   * Launches an agent that takes input; with a dialog open or a draft in its composer when that is asked for. `more` says where
   * it differs from `request()`.
   */
  launch(situation: 'plain' | 'dialog' | 'draft', more?: Partial<LaunchRequest>): Promise<LiveAgent>;
  /** The text of a message as the runtime renders it. */
  render(delivery: DeliveryId, body: string): string;
  /** Waits for a condition, with a deadline of the harness's own; rejects when it does not come true. */
  until(what: string, condition: () => boolean | Promise<boolean>): Promise<void>;
}

export interface ConformanceCheck {
  readonly name: string;
  /** Rejects when the provider does not conform. */
  run(): Promise<void>;
}
