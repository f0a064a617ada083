import type { DeliveryId, MessageId, TaskId } from '../kernel/index.ts';
import {
  beginTask,
  type Change,
  findTask,
  heldDeliveries,
  type MessageRow,
  type QueuedRow,
  updateHold,
  updateMessage,
} from '../ledger/index.ts';
import { holdOf, type MessageHold } from './holds.ts';
import { move } from './move.ts';

/** What of a message says whether it waits. */
export type Holdable = Pick<MessageRow, 'confirmation' | 'task_id' | 'expects' | 'due_at' | 'batched'>;

/** What a message waits for now, by the ledger. */
export async function holdNow(change: Change, message: Holdable): Promise<MessageHold | undefined> {
  return holdOf({
    now: change.now,
    confirmation: message.confirmation,
    unfinished: await unfinished(change, message),
    due_at: message.due_at,
    batched: message.batched !== 0,
  });
}

/** Only what asks for a task's result is work on it, and waits for the tasks that it builds on. */
async function unfinished(change: Change, { task_id, expects }: Holdable): Promise<readonly string[]> {
  if (task_id === null || expects !== 'result') return [];
  const task = await findTask(change.tx, change.team, task_id as TaskId);
  const deps = task ? (JSON.parse(task.deps) as readonly string[]) : [];
  const open: string[] = [];
  for (const dep of deps) {
    if ((await findTask(change.tx, change.team, dep as TaskId))?.status !== 'done') open.push(dep);
  }
  return open;
}

/** Asks again what each held message waits for, and puts those into their lines that wait for nothing any more. */
async function reviewHeld(change: Change, which: (held: QueuedRow) => boolean): Promise<number> {
  let released = 0;
  for (const held of (await heldDeliveries(change.tx, change.team)).filter(which)) {
    const delivery = held.delivery_id as DeliveryId;
    const hold = await holdNow(change, held);
    if (hold === undefined) {
      if (!(await move(change, delivery, 'queued', { reason: null }, { held: held.reason }))) continue;
      if (held.task_id !== null && held.expects === 'result') await beginTask(change, held.task_id as TaskId);
      released += 1;
    } else if (hold !== held.reason) await waitsOn(change, held, hold);
  }
  return released;
}

/** It waits for something else from now on: for its time, perhaps, and then the schedule must know. */
async function waitsOn(change: Change, { delivery_id, message_id, recipient, reason }: QueuedRow, hold: MessageHold) {
  await updateHold(change, delivery_id as DeliveryId, hold);
  await change.event('delivery.held', { delivery_id, message_id, to: recipient, reason: hold, before: reason });
}

/** Puts those into their lines whose time has come. */
export function releaseDue(change: Change): Promise<number> {
  return reviewHeld(change, ({ due_at }) => due_at !== null && due_at <= change.now);
}

/** A task is done: what waited for it asks again. */
export function releaseDependents(change: Change): Promise<number> {
  return reviewHeld(change, ({ reason }) => reason === 'dependencies');
}

/** Somebody is woken anyway: what waited to go along goes along. */
export async function releaseBatch(change: Change, recipient: string): Promise<void> {
  const batched = (await heldDeliveries(change.tx, change.team)).filter(
    (held) => held.recipient === recipient && held.batched !== 0,
  );
  for (const { message_id } of batched)
    await updateMessage(change, message_id as MessageId, { batched: 0, due_at: null });
  if (batched.length > 0) await reviewHeld(change, (held) => held.recipient === recipient);
}

/** A person said yes to a message that waited for it. False when it waits for no yes. */
export async function confirmMessage(change: Change, message: MessageRow, by: string): Promise<boolean> {
  if (message.confirmation !== 'wanted') return false;
  await updateMessage(change, message.message_id as MessageId, { confirmation: 'given', confirmed_by: by });
  await change.event('message.confirmed', { message_id: message.message_id, by });
  await reviewHeld(change, ({ message_id }) => message_id === message.message_id);
  return true;
}
