/** What the two readers ask each other: neither can know from its own half how often a file is imported in all. */

/** So many files are asked about. */
const ASKED = 3;

/** A question of `mine`, in words, with the files by name, so that the other can answer from its own reading. */
export function ask(mine) {
  const across = Object.entries(mine.across)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, ASKED);
  const [first] = across;
  if (first) {
    const list = across.map(([file, times]) => `${file} ${times}x`).join(', ');
    return `How often do you import these files of yours yourself? From my half I count ${list}.`;
  }
  const own = mine.longestFile;
  return own
    ? `My half imports nothing of yours. Have you a longer file than ${own.path} with ${own.lines} lines?`
    : 'My half is empty. What is your longest file?';
}

/** The answer to the other's question, from what was read. */
export function answer(mine, question) {
  const asked = [...question.matchAll(/(\S+) (\d+)x/g)];
  if (asked.length === 0) {
    const own = mine.longestFile;
    return own ? `Answer: my longest file is ${own.path} with ${own.lines} lines.` : 'Answer: I have no file at all.';
  }
  const told = asked.map(([, file, times]) => {
    const own = mine.within[file] ?? 0;
    return `${file} ${own}x, so ${own + Number(times)}x in all`;
  });
  return `Answer: ${told.join('; ')}.`;
}

/** What an answer tells: files with how often both halves import them. */
export function hear(text) {
  const shared = [...text.matchAll(/(\S+) (\d+)x, so (\d+)x in all/g)];
  return { shared: Object.fromEntries(shared.map(([, file, , total]) => [file, Number(total)])), answer: text };
}
