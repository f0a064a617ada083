import { isRefusal } from '../../kernel/reasons.ts';
import type { EventAnswer } from '../answers/index.ts';
import { callIn } from '../calling.ts';
import { TEAM } from './stage.ts';
import { ACTORS, afterEvent, newStory, type Story, withTexts } from './story.ts';
import type { Scene } from './telling.ts';
import type { View } from './view.ts';

/** States of agents are looked at so often, ms: they are observed, so no event tells of them. */
const LOOK_EVERY = 250;

/** Follows the team's events and keeps the view up to date, until `stop`. */
export class Follower {
  readonly #workspace: string;
  readonly #view: View;
  readonly #stop = new AbortController();
  #story: Story = newStory();
  #states: Scene['states'] = {};
  #reading: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(workspace: string, view: View) {
    this.#workspace = workspace;
    this.#view = view;
  }

  get story(): Story {
    return this.#story;
  }

  async start(): Promise<void> {
    const { followEvents } = await import('../../client/index.ts');
    void followEvents(this.#workspace, { team: TEAM, since: 0 }, (line) => this.#take(line), this.#stop.signal);
    await this.#look();
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY);
  }

  /** Takes in what is stored by now, and ends. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#look();
    await this.#readTexts();
    this.#stop.abort();
  }

  #take(line: string): void {
    this.#story = afterEvent(this.#story, JSON.parse(line) as EventAnswer);
    if (this.#story.letters.some((letter) => letter.text === undefined)) void this.#readTexts();
    this.#view.show(this.#story, this.#states);
  }

  /** Events name messages; what they say stands in the mail of their recipients. */
  #readTexts(): Promise<void> {
    this.#reading ??= this.#askForTexts().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #askForTexts(): Promise<void> {
    const members = new Set(this.#story.letters.filter(({ text }) => text === undefined).map(({ to }) => to));
    for (const agent of members) {
      const inbox = await callIn(this.#workspace, 'inbox', { team: TEAM, agent, limit: 100 }, this.#stop.signal);
      if (!isRefusal(inbox)) this.#story = withTexts(this.#story, inbox.messages);
    }
    this.#view.show(this.#story, this.#states);
  }

  async #look(): Promise<void> {
    const status = await callIn(this.#workspace, 'status', { team: TEAM }, this.#stop.signal);
    if (isRefusal(status)) return;
    this.#states = Object.fromEntries(ACTORS.map((id) => [id, status.agents[id]?.state ?? null]));
    this.#view.show(this.#story, this.#states);
  }
}
