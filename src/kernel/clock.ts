/** Time as an argument: the real clock here, a virtual one in the simulator. All times are UTC milliseconds. */
export interface Clock {
  now(): number;
  /** Runs `task` once after `delay` ms unless the returned function is called first. Never keeps the process alive. */
  after(delay: number, task: () => void): () => void;
  /** Resolves after one turn of the event loop: whatever else was waiting for it has had its say. */
  turn(): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delay, task) {
    const timer = setTimeout(task, delay);
    timer.unref();
    return () => clearTimeout(timer);
  },
  turn: () => new Promise((resolve) => setImmediate(resolve)),
};
