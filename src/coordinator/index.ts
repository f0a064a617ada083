/** The long-lived process: boot, local API, dispatch of committed events between rooms. */
export type { AgentCaller, LeaderCaller } from './api/callers.ts';
export type { ToolFront } from './api/loopback.ts';
export { runCoordinator } from './coordinator.ts';
export { firstCallOf } from './repeated-calls.ts';
export type { Runtime } from './runtime.ts';
export { selectTeam } from './teams.ts';
export {
  hello,
  optionalArgument,
  readInbox,
  readMessage,
  reportResult,
  requestHuman,
  requestHumanInput,
  type Seat,
  sendMessage,
  sendMessageInput,
  updateState,
  updateStateInput,
} from './tool-calls.ts';
export { runVerb } from './verbs/index.ts';
export { waitForResult } from './verbs/messages/wait.ts';
export { briefStatus, statusView } from './views/index.ts';
