/** The leader's channel by its name: `mailbox` when nobody leads. */
export function receiverName(receiver: unknown): string {
  if (typeof receiver === 'string') return receiver;
  if (typeof receiver === 'object' && receiver !== null && 'kind' in receiver) return String(receiver.kind);
  return 'mailbox';
}
