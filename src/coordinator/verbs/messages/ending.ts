import type { DeliveryRow } from '../../../ledger/index.ts';

/** What a caller waits for: that a message was read, or that it was answered. */
export type Awaited = 'consumed' | 'result';

/** A delivery, as far as its end goes. */
export type Ended = Pick<DeliveryRow, 'recipient' | 'state' | 'reason'>;

/** How what was waited for ended. `partial`: others were reached. */
export type Ending =
  | { readonly ok: true }
  | { readonly ok: false; readonly partial?: true; readonly reason: 'delivery_dead'; readonly message: string };

/** Nothing more comes of a delivery that was waited for. */
export function hasEnded({ state }: Pick<Ended, 'state'>, awaited: Awaited): boolean {
  return isLost(state) || state === 'answered' || (state === 'consumed' && awaited === 'consumed');
}

/** What waiting for these deliveries came to, once all of them have ended: one that died or was taken back reached nobody. */
export function endingOf(deliveries: readonly Ended[]): Ending {
  const lost = deliveries.filter(({ state }) => isLost(state));
  if (lost.length === 0) return { ok: true };
  const partial = lost.length < deliveries.length ? { partial: true as const } : {};
  return {
    ok: false,
    ...partial,
    reason: 'delivery_dead',
    message: `Nothing comes of it: ${lost.map(fate).join(', ')}.`,
  };
}

function isLost(state: Ended['state']): boolean {
  return state === 'dead' || state === 'cancelled';
}

function fate({ recipient, state, reason }: Ended): string {
  return state === 'cancelled' ? `taken back from ${recipient}` : `dead for ${recipient} (${reason ?? 'unknown'})`;
}
