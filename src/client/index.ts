/** How others reach the coordinator: its words and paths, asking it, starting it, reviving it. */
export { callCoordinator, ensureCoordinator, followEvents } from './asking.ts';
export { HEADERS, type Paths, type Pointer, PROTOCOL, pathsOf } from './protocol.ts';
export { forceStop, reviveFromTmux, whetherGaveUp } from './reviving.ts';
