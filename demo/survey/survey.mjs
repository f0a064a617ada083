/**
 * The work of the demo team, step by step. Each agent runs its own steps; what one of them knows and another does not
 * (its half, read to the last line) lies in WORK, a file per agent, and moves between them only as messages.
 *
 *   node survey.mjs plan FOLDER WORK     finds the source files and splits them in two
 *   node survey.mjs share WHO WORK       what WHO is asked to do
 *   node survey.mjs read WHO WORK        reads the files of WHO
 *   node survey.mjs ask WHO WORK         what WHO wants to know of the other
 *   node survey.mjs answer WHO WORK      the answer to the question in $BODY
 *   node survey.mjs hear WHO WORK        takes in the answer in $BODY, and says what WHO reports
 *   node survey.mjs merge WORK           the survey: both halves together
 */
import fs from 'node:fs';
import path from 'node:path';
import { merge, numbers } from './findings.mjs';
import { readHalf } from './reading.mjs';
import { findSources, splitInTwo } from './sources.mjs';
import { answer, ask, hear } from './talk.mjs';

const [step, ...args] = process.argv.slice(2);
const work = args.at(-1) ?? '';
const who = args[0] ?? '';

const fileOf = (name) => path.join(work, `${name}.json`);
const load = (name) => JSON.parse(fs.readFileSync(fileOf(name), 'utf8'));
const save = (name, value) => fs.writeFileSync(fileOf(name), `${JSON.stringify(value, null, 2)}\n`);

/** Whoever is asked before it has read its half reads it then. */
function half(name) {
  if (!fs.existsSync(fileOf(name))) save(name, readHalf(load('plan'), name));
  return load(name);
}

const STEPS = {
  plan() {
    const folder = fs.realpathSync(who);
    const found = findSources(folder);
    const halves = splitInTwo(found.files);
    fs.mkdirSync(work, { recursive: true });
    save('plan', { folder, skipped: found.skipped, halves });
    const total = halves.ann.length + halves.bob.length;
    return `${total} source ${total === 1 ? 'file' : 'files'}: ${halves.ann.length} for ann, ${halves.bob.length} for bob, of about the same size.`;
  },
  share() {
    const { folder, halves } = load('plan');
    const files = halves[who];
    const kilobytes = Math.ceil(files.reduce((sum, file) => sum + file.bytes, 0) / 1000);
    const span = files.length === 0 ? '' : `: ${files[0].path} to ${files.at(-1).path}`;
    const other = who === 'ann' ? 'bob' : 'ann';
    return (
      `Read your half, ${files.length} ${files.length === 1 ? 'file' : 'files'} of ${kilobytes} kB${span}.\n` +
      `Folder: ${folder}. Count lines, comments, functions, imports and TODO marks. Ask ${other} what your half cannot tell you. Then report.`
    );
  },
  read() {
    return numbers(half(who));
  },
  ask() {
    return ask(half(who));
  },
  answer() {
    return answer(half(who), process.env.BODY ?? '');
  },
  hear() {
    const mine = { ...half(who), ...hear(process.env.BODY ?? '') };
    save(who, mine);
    return numbers(mine);
  },
  merge() {
    const merged = merge(load('plan'), load('ann'), load('bob'));
    save('survey', merged);
    return merged.findings.map(({ what, found }) => `${what}: ${found}`).join('\n');
  },
};

const run = Object.hasOwn(STEPS, step ?? '') ? STEPS[step] : undefined;
if (run) console.log(run());
else {
  console.error(`survey: there is no step ${step}; there are ${Object.keys(STEPS).join(', ')}`);
  process.exitCode = 2;
}
