import type { DeliveryId, IncarnationId, MessageId, Mint, ResultId, SessionId } from '../../../src/kernel/index.ts';
import type { Random } from './random.ts';

/** New ids of the product's forms, decided by the seed. */
export function mintOf(random: Random): Mint {
  const uuid = () => `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-8${random.hex(3)}-${random.hex(12)}`;
  return {
    message: () => `m_${random.hex(24)}` as MessageId,
    delivery: () => uuid() as DeliveryId,
    incarnation: () => `i_${random.hex(16)}` as IncarnationId,
    session: () => uuid() as SessionId,
    result: () => `r_${random.hex(24)}` as ResultId,
    token: () => random.hex(32),
    nonce: () => random.hex(8),
  };
}
