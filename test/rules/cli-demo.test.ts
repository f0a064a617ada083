import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import type { EventAnswer, MessageAnswer } from '../../src/cli/answers/index.ts';
import { afterEvent, newStory, type Story, withTexts } from '../../src/cli/demo/story.ts';
import { findingsLines, frame, halvesTable, letterLine } from '../../src/cli/demo/telling.ts';
import type { Look } from '../../src/cli/rendering/look.ts';
import { displayWidth } from '../../src/cli/rendering/width.ts';

const START = 1_800_000_000_000;
const look: Look = { columns: 80, paint: picocolors.createColors(false), now: START + 4_200 };

const event = (at: number, type: string, data: EventAnswer['data']): EventAnswer => ({
  seq: at,
  at: START + at,
  team: 'survey',
  type,
  actor: 'coordinator',
  data,
});

const message = (message_id: string, sender: string, recipient: string, body: string): MessageAnswer => ({
  message_id,
  delivery_id: 'd',
  seq: 1,
  sender,
  recipient,
  state: 'consumed',
  task_id: null,
  expects: 'nothing',
  body,
  created_at: START,
});

/** ann reads her half and asks bob, who has not answered yet. */
const halfway = (): Story => {
  const told = [
    event(100, 'message.stored', { message_id: 'm1', sender: 'planner', to: ['ann'] }),
    event(118, 'delivery.consumed', { message_id: 'm1', to: 'ann' }),
    event(900, 'message.stored', { message_id: 'm2', sender: 'ann', to: ['bob'] }),
    event(910, 'delivery.submitted', { message_id: 'm2', to: 'bob' }),
  ].reduce(afterEvent, newStory());
  return withTexts(told, [
    message('m1', 'planner', 'ann', 'Read your half, 61 files of 300 kB: a.ts to m.ts.\nFolder: /p'),
    message('m2', 'ann', 'bob', 'How often do you import these files of yours yourself? I count x.ts 3x.'),
  ]);
};

const doing = (story: Story): Record<string, string> =>
  Object.fromEntries(story.actors.map((actor) => [actor.id, actor.doing]));

describe('the story that events tell', () => {
  test('letters move, and what they say tells what the three do', () => {
    const story = halfway();
    expect(story.letters.map(({ from, to, state, took }) => [from, to, state, took])).toEqual([
      ['planner', 'ann', 'consumed', 18],
      ['ann', 'bob', 'submitted', undefined],
    ]);
    expect(doing(story)).toMatchObject({ planner: 'waits for both halves', ann: 'waits for what bob knows' });
  });

  test('reading a question, an answer and a report', () => {
    const asked = afterEvent(halfway(), event(950, 'delivery.consumed', { message_id: 'm2', to: 'bob' }));
    expect(doing(asked).bob).toBe('answers ann');
    const reported = afterEvent(asked, event(990, 'result.reported', { agent_id: 'ann' }));
    expect(reported.actors.find(({ id }) => id === 'ann')).toEqual({
      id: 'ann',
      doing: 'has reported',
      reported: true,
    });
  });

  test('a delivery that goes back into the line, or ends unread', () => {
    const back = afterEvent(halfway(), event(950, 'delivery.queued', { message_id: 'm2', to: 'bob' }));
    expect(back.letters[1]?.state).toBe('queued');
    const dead = afterEvent(back, event(960, 'delivery.dead', { message_id: 'm2', to: 'bob' }));
    expect(dead.letters[1]?.state).toBe('dead');
  });

  test('events that nobody knows change nothing', () => {
    const story = halfway();
    expect(afterEvent(story, event(950, 'moon.rose', {}))).toBe(story);
  });
});

describe('how it is told in 80 columns', () => {
  test('a letter on one line', () => {
    const lines = halfway().letters.map((letter) => letterLine(letter, letter.storedAt - START, look));
    expect(lines).toEqual([
      '   0.10 s  planner → ann     "Read your half, 61 files of 3…"  ✓ consumed 18 ms',
      '   0.90 s  ann → bob         "How often do you import these…"  submitted',
    ]);
  });

  test('the live picture never outgrows its terminal', () => {
    const story = { ...halfway(), letters: Array.from({ length: 30 }, () => halfway().letters).flat() };
    const scene = {
      start: START,
      rows: 24,
      phase: `surveying /${'long/'.repeat(30)}`,
      states: { ann: 'working', bob: 'idle' },
    };
    const lines = frame(story, scene, look);
    expect(lines).toHaveLength(23);
    expect(lines.every((line) => displayWidth(line) < 80)).toBe(true);
    expect(lines[0]).toMatch(/^ Team Agent demo {2}surveying .*… +4\.20 s$/);
    expect(lines[3]).toBe(' ● ann      working      waits for what bob knows');
    expect(frame(story, { ...scene, rows: 10 }, look)).toHaveLength(9);
  });

  test('the halves and their sum', () => {
    const half = {
      who: 'ann',
      files: 2,
      lines: 1000,
      blank: 100,
      comment: 150,
      functions: 40,
      marks: 1,
      longestFile: { path: 'src/a.ts', lines: 700 },
    };
    const other = { ...half, who: 'bob', lines: 500, blank: 0, comment: 0, marks: 0, longestFile: null };
    expect(halvesTable([half, other], look)).toEqual([
      'agent  files  lines  code  comments  functions  TODO  longest file',
      'ann        2  1,000   75%       15%         40     1  a.ts, 700',
      'bob        2    500  100%        0%         40     0  -',
      'both       4  1,500   83%       10%         80     1  a.ts, 700',
    ]);
  });

  test('findings are aligned, and other text stays as it is', () => {
    expect(findingsLines('Size: 3 files\nLongest file: a.ts, 700 lines\nnothing else', look)).toEqual([
      'Size            3 files',
      'Longest file    a.ts, 700 lines',
      '                nothing else',
    ]);
  });
});
