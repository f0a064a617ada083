import type { AgentVerbs } from './agents.ts';
import type { LeaderVerbs } from './leaders.ts';
import type { LookingVerbs } from './looking.ts';
import type { MachineVerbs } from './machine.ts';
import type { MessageVerbs } from './messages.ts';
import type { TeamVerbs } from './teams.ts';

export type { LeaderAnswer } from './leaders.ts';
export type { AgentStatus, EventAnswer, StatusAnswer } from './looking.ts';
export type { CoordinatorAnswer } from './machine.ts';
export type { DeliveryAnswer, MessageAnswer, ResultAnswer, TaskAnswer, UnendedAnswer } from './messages.ts';
export type { PlanAnswer } from './teams.ts';

/** What the coordinator answers to each verb. */
export interface Answers extends AgentVerbs, LeaderVerbs, LookingVerbs, MachineVerbs, MessageVerbs, TeamVerbs {}

export type Verb = keyof Answers;
