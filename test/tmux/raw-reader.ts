import fs from 'node:fs';

/** A program in a pane that takes bracketed pastes, and writes every byte that it gets to a file. */
const [file = ''] = process.argv.slice(2);
process.stdin.setRawMode(true);
process.stdout.write('\u001b[?2004hready\r\n');
process.stdin.on('data', (chunk) => fs.appendFileSync(file, chunk));
fs.writeFileSync(file, '');
