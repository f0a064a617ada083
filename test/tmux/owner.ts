import fs from 'node:fs';
import { isRefusal } from '../../src/kernel/index.ts';
import { openTerminals } from '../../src/tmux/index.ts';

/** Owns the terminals at a socket until it is killed: opens one pane and asks to be revived by a shell command. */
const [socket = '', folder = '', revive = '', ready = ''] = process.argv.slice(2);
const silent = { info: () => undefined, warn: () => undefined };
const terminals = openTerminals({ socket, folder, environment: process.env, log: silent });
await terminals.reviveWith(revive);
const handle = await terminals.open({
  session: 'team-a',
  window: 'a',
  incarnation: 'i_owned',
  folder,
  environment: {},
  argv: ['sleep', '600'],
});
if (isRefusal(handle)) throw new Error(handle.message);
fs.writeFileSync(`${ready}.new`, JSON.stringify(handle));
fs.renameSync(`${ready}.new`, ready);
