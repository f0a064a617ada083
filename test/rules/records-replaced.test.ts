import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { mint } from '../../src/kernel/index.ts';
import { Sessions } from '../../src/providers/claude/sessions.ts';
import { RolloutFollower } from '../../src/providers/codex/record.ts';
import { LineFollower } from '../../src/providers/line-follower.ts';
import type { Offer } from '../../src/providers/shape.ts';
import { freshFolder } from '../support/files.ts';

const nothing = (): void => undefined;
const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** Another file takes the place of one, as an editor or a copy does it. */
function replace(file: string, lines: readonly string[]): void {
  fs.writeFileSync(`${file}.new`, text(lines));
  fs.renameSync(`${file}.new`, file);
}

describe('a file whose lines are followed', () => {
  const follow = (lines: readonly string[]) => {
    const file = path.join(freshFolder('followed'), 'record');
    fs.writeFileSync(file, text(lines));
    const taken: [string, number][] = [];
    const follower = new LineFollower(
      file,
      (line, offset) => taken.push([line, offset]),
      nothing,
      () => taken.push(['again', -1]),
    );
    follower.catchUp();
    return { file, taken, follower, since: () => taken.splice(0) };
  };

  test('M12 one that shrank is read again from its beginning', () => {
    const { file, follower, since } = follow(['one', 'two', 'three']);
    expect(since()).toHaveLength(3);
    fs.truncateSync(file, 4);
    expect(follower.catchUp()).toBe(true);
    expect(since()).toEqual([
      ['again', -1],
      ['one', 0],
    ]);
    fs.appendFileSync(file, 'four\n');
    follower.catchUp();
    expect(since()).toEqual([['four', 4]]);
    expect(follower.replacements).toBe(1);
  });

  test('M12 one that is emptied and filled again', () => {
    const { file, follower, since } = follow(['one']);
    since();
    fs.truncateSync(file, 0);
    expect(follower.catchUp()).toBe(false);
    fs.appendFileSync(file, 'new\n');
    follower.catchUp();
    expect(since()).toEqual([
      ['again', -1],
      ['new', 0],
    ]);
  });

  test('M12 another file in its place, longer than it was, is read from its beginning', () => {
    const { file, follower, since } = follow(['one']);
    since();
    replace(file, ['another', 'file', 'altogether']);
    follower.catchUp();
    expect(since().map(([line]) => line)).toEqual(['again', 'another', 'file', 'altogether']);
  });

  test('M12 one that is gone for a while is the same when it comes back, and another one is not', () => {
    const { file, follower, since } = follow(['one']);
    since();
    fs.renameSync(file, `${file}.away`);
    expect(follower.catchUp()).toBe(false);
    fs.renameSync(`${file}.away`, file);
    fs.appendFileSync(file, 'two\n');
    follower.catchUp();
    expect(since()).toEqual([['two', 4]]);
    fs.renameSync(file, `${file}.away`);
    fs.writeFileSync(file, 'anew\n');
    follower.catchUp();
    expect(since().map(([line]) => line)).toEqual(['again', 'anew']);
  });

  test('a line without its end is no change', () => {
    const { file, follower, since } = follow(['one']);
    since();
    fs.appendFileSync(file, 'half');
    follower.catchUp();
    fs.appendFileSync(file, ' a line\n');
    follower.catchUp();
    expect(since()).toEqual([['half a line', 4]]);
    expect(follower.replacements).toBe(0);
  });
});

const inputLine = (uuid: string, words: string): string =>
  JSON.stringify({
    type: 'user',
    uuid,
    timestamp: '2026-01-01T00:00:00.000Z',
    message: { role: 'user', content: words },
  });
const header = (delivery: string): string => `[team message ${delivery} from leader (leader)]\n--- a1\nx\n--- a1 end`;

/** The sessions of one process, its transcripts in one folder. */
class Process {
  readonly folder = freshFolder('sessions');
  readonly starts = path.join(this.folder, 'starts.jsonl');
  readonly moves: [string, number][] = [];

  file(session: string): string {
    return path.join(this.folder, `${session}.jsonl`);
  }

  write(session: string, ...lines: readonly string[]): string {
    fs.writeFileSync(this.file(session), text(lines));
    return this.file(session);
  }

  start(session: string, source: string, file = this.file(session)): void {
    fs.appendFileSync(this.starts, `${JSON.stringify({ session_id: session, transcript_path: file, source })}\n`);
  }

  /** As a coordinator finds it that knows these sessions. */
  sessions(known: readonly string[], hooks = true): Sessions {
    return new Sessions({
      began: 0,
      known: known.map((session) => ({ session, record: this.file(session) })),
      starts: hooks ? this.starts : undefined,
      changed: nothing,
      heard: nothing,
      moved: ({ session }, times) => this.moves.push([session, times]),
    });
  }
}

const offerAt = (position: number): Offer => ({
  delivery: mint.delivery(),
  number: 1,
  channel: 'protocol',
  incarnation: mint.incarnation(),
  position,
});

describe('the sessions of a process', () => {
  test('M12 each change is told with its own number, the same to every coordinator', () => {
    const process = new Process();
    for (const [session, source] of [
      ['a', 'startup'],
      ['a', 'compact'],
      ['b', 'clear'],
      ['a', 'resume'],
      ['b', 'resume'],
    ] as const)
      process.start(session, source);
    const expected = [
      ['b', 1],
      ['a', 2],
      ['b', 3],
    ];
    expect(process.sessions(['a']).current.session).toBe('b');
    expect(process.moves.splice(0)).toEqual(expected);
    // One that has stored where it was.
    expect(process.sessions(['a', 'b', 'a', 'b']).current.session).toBe('b');
    expect(process.moves).toEqual(expected);
  });

  test('M12 what was handed to an earlier session is proved there, whichever it works on now', () => {
    const process = new Process();
    const offer = offerAt(10_000);
    process.start('a', 'startup');
    process.write('a', inputLine('u', header(offer.delivery)));
    process.start('b', 'clear');
    const sessions = process.sessions(['a']);
    expect(sessions.current.session).toBe('b');
    expect(sessions.receipt([], offer)).toMatchObject({ file: process.file('a'), offset: 0 });
    expect(sessions.current.record.knows(offer.delivery)).toBe(false);
    sessions.moveTo('a', process.file('a'));
    expect(sessions.current.record.knows(offer.delivery)).toBe(true);
  });

  test('M12 a conversation without hooks of ours is followed where its registry says, and numbered on', () => {
    const process = new Process();
    const sessions = process.sessions(['a', 'b'], false);
    expect([sessions.current.session, process.moves]).toEqual(['b', []]);
    sessions.moveTo('a', sessions.fileBeside('a'));
    sessions.moveTo('a', sessions.fileBeside('a'));
    expect(process.moves).toEqual([['a', 2]]);
  });

  test('M12 the same session whose transcript has moved is no other session: both files prove', () => {
    const process = new Process();
    const [before, after] = [offerAt(0), offerAt(0)];
    process.start('a', 'startup');
    process.write('a', inputLine('u', header(before.delivery)));
    const sessions = process.sessions(['a']);
    const elsewhere = path.join(freshFolder('elsewhere'), 'a.jsonl');
    fs.writeFileSync(elsewhere, text([inputLine('v', header(after.delivery))]));
    process.start('a', 'resume', elsewhere);
    expect(sessions.receipt([], after)).toMatchObject({ file: elsewhere });
    expect(sessions.receipt([], before)).toMatchObject({ file: process.file('a') });
    expect(sessions.current).toMatchObject({ session: 'a', record: { file: elsewhere } });
    expect(process.moves).toEqual([]);
  });

  test('M12 a position that lies behind the end of a transcript says nothing about it', () => {
    const process = new Process();
    const offer = offerAt(1_000_000);
    process.start('a', 'startup');
    process.write('a', inputLine('u', header(offer.delivery)));
    expect(process.sessions(['a']).receipt([], offer)).toMatchObject({ offset: 0 });
  });

  test('a position inside a transcript counts: what stands before it is no receipt', () => {
    const process = new Process();
    const early = offerAt(0);
    process.start('a', 'startup');
    const file = process.write('a', inputLine('u', header(early.delivery)));
    expect(process.sessions(['a']).receipt([], { ...early, position: fs.statSync(file).size })).toBeUndefined();
  });

  test('M12 absence proves nothing in a transcript that was replaced since, that is gone, or that never was this one', () => {
    const process = new Process();
    process.start('a', 'startup');
    const file = process.write('a', inputLine('u', 'one'), inputLine('v', 'two'));
    const sessions = process.sessions(['a']);
    const offer = offerAt(fs.statSync(file).size);
    const before = sessions.replacements;
    expect(sessions.lostSince(offer, before)).toBeUndefined();
    expect(sessions.lostSince(offer, undefined)).toBeUndefined();

    replace(file, [inputLine('u', 'one')]);
    sessions.catchUp();
    expect(sessions.lostSince(offer, before)).toContain('was replaced');
    // A coordinator that came after it, and has only the position.
    expect(process.sessions(['a']).lostSince(offer, undefined)).toContain('was replaced');
    expect(process.sessions(['a']).lostSince({ ...offer, position: 3 }, undefined)).toContain('was replaced');
    // What is offered from now on is another matter.
    expect(sessions.lostSince(offerAt(fs.statSync(file).size), sessions.replacements)).toBeUndefined();

    fs.rmSync(file);
    expect(sessions.lostSince(offer, sessions.replacements)).toContain('not there any more');
  });

  test('a session that has not written anything yet lacks nothing', () => {
    const process = new Process();
    process.start('a', 'startup');
    expect(process.sessions(['a']).lostSince(offerAt(0), undefined)).toBeUndefined();
  });
});

describe('a rollout', () => {
  const input = (client: string): string =>
    JSON.stringify({
      timestamp: '2026-01-01T00:00:00.000Z',
      type: 'event_msg',
      payload: { type: 'item_completed', item: { type: 'UserMessage', id: 'i', client_id: client, content: [] } },
    });

  test('M12 that is replaced by another file proves what stands in that one', () => {
    const file = path.join(freshFolder('rollout'), 'r.jsonl');
    fs.writeFileSync(file, text([input('early'), input('lost')]));
    const rollout = new RolloutFollower(file, nothing);
    rollout.catchUp();
    const position = fs.statSync(file).size;
    expect(rollout.receipt('early', position)).toBeUndefined();
    replace(file, [input('early'), input('late')]);
    rollout.catchUp();
    expect([rollout.knows('lost'), rollout.knows('late')]).toEqual([false, true]);
    expect(rollout.receipt('late', position)).toMatchObject({ id: 'i' });
  });

  test('M12 of a fork names where it comes from', () => {
    const file = path.join(freshFolder('rollout'), 'r.jsonl');
    fs.writeFileSync(file, text([JSON.stringify({ type: 'session_meta', payload: { id: 'f', forked_from_id: 'p' } })]));
    const rollout = new RolloutFollower(file, nothing);
    rollout.catchUp();
    expect(rollout.parent).toBe('p');
  });
});
