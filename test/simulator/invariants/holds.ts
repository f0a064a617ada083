import type { DeliveryId } from '../../../src/kernel/index.ts';
import type { Disk } from '../world/disk.ts';
import type { Delivery } from './deliveries.ts';

const MESSAGE = `select state, generation, confirmation, due_at, batched, m.task_id, m.expects, deps
  from deliveries d join messages m using (message_id) left join tasks t on t.team = m.team and t.task_id = m.task_id
  where delivery_id = ?`;

/**
 * A message that was taken waited for nothing any more, and was for whom took it. Asked in the moment of the taking;
 * `latest` is the latest time that the wall clock ever showed, UTC ms, `generation` whose life took it.
 */
export function takenTooEarly(disk: Disk, delivery: DeliveryId, latest: number, generation: number): string[] {
  const [row] = disk.rows(MESSAGE, delivery);
  const wrong: string[] = [];
  if (!row) return [`${delivery} was taken and is nowhere`];
  if (row.generation !== generation) wrong.push(`was for generation ${row.generation}, and ${generation} took it`);
  if (row.state === 'cancelled') wrong.push('was taken after its sender had taken it back');
  if (row.confirmation === 'wanted') wrong.push('was taken before anybody said yes');
  if (row.due_at !== null && Number(row.due_at) > latest) wrong.push('was taken before its time');
  if (row.expects === 'result' && row.deps !== null) {
    const done = doneOnce(disk);
    const early = depsOf(row.deps).filter((dep) => !done.has(dep));
    if (early.length > 0) wrong.push(`was taken before ${early.join()} was done`);
  }
  return wrong.map((what) => `${delivery} ${what}`);
}

/** What waits for its time goes by itself when it has come; asked once nothing is due any more. */
export function overdue(disk: Disk, now: number): string[] {
  const rows = disk.rows(
    `select delivery_id, due_at from deliveries join messages using (message_id)
     where state = 'held' and reason in ('scheduled', 'batched') and due_at <= ?`,
    now,
  );
  return rows.map(({ delivery_id, due_at }) => `${delivery_id} is overdue since ${due_at}, and nobody looks`);
}

/** What a held delivery says that it waits for is so, and could still come. */
export function holdIsTrue({ id, state, reason }: Delivery, disk: Disk, now: number): string[] {
  if (state !== 'held') return [];
  const [row] = disk.rows(MESSAGE, id);
  if (!row) return [`${id} has no message`];
  const isTrue = {
    human_confirmation: row.confirmation === 'wanted',
    dependencies: row.expects === 'result' && row.deps !== null && !isAllDone(disk, depsOf(row.deps)),
    // A time comes by itself: at rest nothing waits for it any more.
    scheduled: false,
    batched: row.batched === 1 && row.due_at === null && isOwed(disk),
  }[reason];
  return isTrue ? [] : [`${id} is held(${reason}) for ever: ${JSON.stringify(row)} at ${now}`];
}

const depsOf = (deps: unknown): readonly string[] => JSON.parse(String(deps));

/** The tasks that were done at some time; one may be asked for again. */
function doneOnce(disk: Disk): Set<string> {
  const rows = disk.rows(
    `select json_extract(data, '$.task_id') as task from events
     where (type = 'task.collected' and json_extract(data, '$.status') = 'done')
       or (type = 'repair_state.task' and json_extract(data, '$.after.status') = 'done')`,
  );
  return new Set(rows.map(({ task }) => String(task)));
}

function isAllDone(disk: Disk, tasks: readonly string[]): boolean {
  const done = disk.rows(`select task_id from tasks where status = 'done'`).map(({ task_id }) => task_id);
  return tasks.every((task) => done.includes(task));
}

/** Does the leader or a person still wait for a result? */
function isOwed(disk: Disk): boolean {
  return (
    disk.rows(
      `select 1 from deliveries d join messages m using (message_id) where m.expects = 'result'
       and authority in ('leader', 'user') and state in ('stored', 'queued', 'held', 'submitted', 'consumed')`,
    ).length > 0
  );
}
