import { firstLine, printable } from '../../kernel/text.ts';
import type { EventAnswer, MessageAnswer } from '../answers/index.ts';

/** A message as a spectator sees it move. */
export interface Letter {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** UTC ms. */
  readonly storedAt: number;
  /** Its first line; undefined until it was asked for. */
  readonly text: string | undefined;
  readonly state: 'queued' | 'submitted' | 'consumed' | 'dead';
  /** From stored to consumed, ms. */
  readonly took: number | undefined;
}

/** One of the three, as the events tell of it. */
export interface Actor {
  readonly id: string;
  /** What it is at, in a few words. */
  readonly doing: string;
  readonly reported: boolean;
}

export interface Story {
  readonly letters: readonly Letter[];
  readonly actors: readonly Actor[];
}

export const ACTORS = ['planner', 'ann', 'bob'] as const;

export function newStory(): Story {
  return { letters: [], actors: ACTORS.map((id) => ({ id, doing: 'is there', reported: false })) };
}

/** The story after one more event. Events that tell nothing new to a spectator leave it as it is. */
export function afterEvent(story: Story, event: EventAnswer): Story {
  switch (event.type) {
    case 'message.stored':
      return afterStored(story, event);
    case 'delivery.submitted':
      return moveLetter(story, event, { state: 'submitted' });
    case 'delivery.consumed':
      return afterConsumed(story, event);
    case 'delivery.queued':
      return moveLetter(story, event, { state: 'queued' });
    case 'delivery.dead':
      return moveLetter(story, event, { state: 'dead' });
    case 'result.reported':
      return actorDoes(story, textIn(event, 'agent_id'), 'has reported', true);
    default:
      return story;
  }
}

/** The story with the texts of letters whose words were not known. What they say tells what their readers do. */
export function withTexts(story: Story, messages: readonly MessageAnswer[]): Story {
  const texts = new Map(messages.map((message) => [message.message_id, message.body]));
  const letters = story.letters.map((letter) => {
    const text = letter.text ?? texts.get(letter.id);
    return text === undefined ? letter : { ...letter, text: firstLine(printable(text)) };
  });
  const fresh = letters.filter(
    (letter, index) => story.letters[index]?.text === undefined && letter.text !== undefined,
  );
  return fresh.reduce<Story>(
    (told, letter) => {
      const sent = whenSent(letter);
      const before = sent ? actorDoes(told, letter.from, sent) : told;
      return letter.state === 'consumed' ? actorDoes(before, letter.to, whenRead(letter)) : before;
    },
    { ...story, letters },
  );
}

function afterStored(story: Story, event: EventAnswer): Story {
  const to = event.data.to;
  const recipients = Array.isArray(to) ? to.map(String) : [];
  const letters = recipients.map(
    (recipient): Letter => ({
      id: textIn(event, 'message_id'),
      from: textIn(event, 'sender'),
      to: recipient,
      storedAt: event.at,
      text: undefined,
      state: 'queued',
      took: undefined,
    }),
  );
  return { ...story, letters: [...story.letters, ...letters] };
}

function afterConsumed(story: Story, event: EventAnswer): Story {
  const moved = moveLetter(story, event, { state: 'consumed' });
  const letter = moved.letters.find((candidate) => isMeant(candidate, event));
  return letter?.text === undefined ? moved : actorDoes(moved, letter.to, whenRead(letter));
}

function moveLetter(story: Story, event: EventAnswer, to: Pick<Letter, 'state'>): Story {
  const letters = story.letters.map((letter) => {
    if (!isMeant(letter, event)) return letter;
    return { ...letter, ...to, took: to.state === 'consumed' ? event.at - letter.storedAt : letter.took };
  });
  return { ...story, letters };
}

function isMeant(letter: Letter, event: EventAnswer): boolean {
  return letter.id === event.data.message_id && letter.to === event.data.to;
}

function actorDoes(story: Story, id: string, doing: string, reported = false): Story {
  const actors = story.actors.map((actor) => {
    if (actor.id !== id || (actor.reported && !reported && id === 'planner')) return actor;
    return {
      ...actor,
      doing: actor.reported && !reported ? `has reported, ${doing}` : doing,
      reported: actor.reported || reported,
    };
  });
  return { ...story, actors };
}

/** What a member does who has just sent this. */
function whenSent({ from, to, text }: Letter): string | undefined {
  if (from === 'planner') return 'waits for both halves';
  if (text?.startsWith('Answer:')) return `has answered ${to}`;
  return from === 'ann' || from === 'bob' ? `waits for what ${to} knows` : undefined;
}

/** What a member does who has just read this. */
function whenRead({ from, to, text = '' }: Letter): string {
  if (to === 'planner') {
    const who = /^Result \S+ of (\w+)/.exec(text)?.[1];
    return who ? `has the half of ${who}` : 'finds the source files and splits them in two';
  }
  if (from === 'planner')
    return /^Read your half, (\d+ files?)/.exec(text)?.[1]?.replace(/^/, 'reads ') ?? 'reads its half';
  return text.startsWith('Answer:') ? `sums up, with what ${from} knows` : `answers ${from}`;
}

function textIn(event: EventAnswer, key: string): string {
  const value = event.data[key];
  return typeof value === 'string' ? value : '';
}
