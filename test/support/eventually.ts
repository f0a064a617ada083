import { setTimeout as pause } from 'node:timers/promises';

/**
 * Waits until `probe` returns something other than undefined or false, and returns it. Throws after `deadline` ms: a
 * minute, because what takes a second here may take half of one on a machine that does ten other things.
 */
export async function eventually<Value>(
  what: string,
  probe: () => Value | undefined | false | Promise<Value | undefined | false>,
  deadline = 60_000,
): Promise<Value> {
  const end = performance.now() + deadline;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`not within ${deadline} ms: ${what}`);
    await pause(5);
  }
}
