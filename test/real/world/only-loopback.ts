import os from 'node:os';

/**
 * Every file of the real journeys starts with this: the command-line tools look up hosts as soon as they run, so nothing
 * of theirs starts where another network than loopback can be reached.
 */
const interfaces = Object.entries(os.networkInterfaces());
const others = interfaces.filter(([, addresses]) => addresses?.some(({ internal }) => !internal)).map(([name]) => name);
if (others.length > 0) {
  throw new Error(
    `the real journeys run with loopback alone, and there is ${others.join(', ')}: use ./script/test real`,
  );
}
if (interfaces.length === 0) throw new Error('the loopback interface is down: use ./script/test real');
