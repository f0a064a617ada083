/** Numbers in words, and what the two halves say together. */

const thousands = (number) => number.toLocaleString('en-US');
const share = (part, whole) => `${whole === 0 ? 0 : Math.round((100 * part) / whole)}%`;
const plural = (count, word) => `${thousands(count)} ${word}${count === 1 ? '' : 's'}`;

/** One half in two sentences. */
export function numbers(half) {
  const { files, lines, blank, comment, functions, marks, longestFile } = half;
  const longest = longestFile ? ` Longest: ${longestFile.path}, ${plural(longestFile.lines, 'line')}.` : '';
  return (
    `${plural(files, 'file')}, ${plural(lines, 'line')} (${share(comment, lines)} comments, ${share(blank, lines)} blank), ` +
    `${plural(functions, 'function')}, ${plural(marks, 'TODO')}.${longest}`
  );
}

/** Both halves together: sums, extremes, and the files that most of the others lean on. */
export function merge(plan, ann, bob) {
  const halves = [ann, bob];
  const sum = (key) => halves.reduce((total, half) => total + half[key], 0);
  const longest = (key) => halves.map((half) => half[key]).sort((x, y) => (y?.lines ?? -1) - (x?.lines ?? -1))[0];
  const lines = sum('lines');
  const file = longest('longestFile');
  const block = longest('longestBlock');
  const crossing = halves.map((half) => total(half.across));
  const findings = [
    { what: 'Size', found: `${plural(sum('files'), 'file')}, ${plural(lines, 'line')}${languages(halves)}` },
    {
      what: 'Made of',
      found: `${share(lines - sum('comment') - sum('blank'), lines)} code, ${share(sum('comment'), lines)} comments, ${share(sum('blank'), lines)} blank`,
    },
    ...(file ? [{ what: 'Longest file', found: `${file.path}, ${plural(file.lines, 'line')}` }] : []),
    ...(block
      ? [
          {
            what: 'Longest block',
            found: `${block.name} in ${block.path}:${block.line}, ${plural(block.lines, 'line')}`,
          },
        ]
      : []),
    ...leanedOn(halves),
    { what: 'Between halves', found: `ann imports bob's files ${crossing[0]}x, bob imports ann's ${crossing[1]}x` },
    { what: 'Left to do', found: `${plural(sum('marks'), 'TODO mark')}` },
    ...(plan.skipped > 0 ? [{ what: 'Not read', found: `${plural(plan.skipped, 'file')} more` }] : []),
  ];
  return { folder: plan.folder, halves, findings };
}

const total = (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0);

function languages(halves) {
  const lines = {};
  for (const half of halves) {
    for (const [name, count] of Object.entries(half.languages)) lines[name] = (lines[name] ?? 0) + count;
  }
  const names = Object.entries(lines).sort(([, x], [, y]) => y - x);
  return names.length === 0
    ? ''
    : `; mostly ${names
        .slice(0, 2)
        .map(([name]) => name)
        .join(', then ')}`;
}

/** The most imported file. What a reader heard from the other counts both halves; the rest is known from one. */
function leanedOn(halves) {
  const times = {};
  for (const half of halves) {
    for (const [file, count] of Object.entries(half.within)) times[file] = Math.max(times[file] ?? 0, count);
  }
  for (const half of halves) {
    for (const [file, count] of Object.entries(half.shared ?? {})) times[file] = Math.max(times[file] ?? 0, count);
  }
  const top = Object.entries(times).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0];
  return top ? [{ what: 'Most imported', found: `${top[0]}, ${top[1]}x` }] : [];
}
