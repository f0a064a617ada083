/** Clock, ids, processes, files, environment, errors: no product words. */
export * from './boundaries.ts';
export * from './clock.ts';
export * from './environment.ts';
export * from './files.ts';
export * from './ids.ts';
export * from './installation.ts';
export * from './observed.ts';
export * from './process-place.ts';
export * from './processes.ts';
export * from './reasons.ts';
export * from './signal.ts';
export * from './text.ts';
