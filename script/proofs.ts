/** A part of the suite that a proof can use. */
export type Part = 'rule' | 'simulator' | 'tmux' | 'claude' | 'codex';

/** One capability of docs/scoreboard.md. */
export interface Row {
  readonly id: string;
  readonly group: string;
  readonly capability: string;
}

/** One test that says it proves a row. */
export interface Proof {
  readonly id: string;
  readonly file: string;
  readonly title: string;
  readonly parts: readonly Part[];
}

/** The rows of the scoreboard's tables, in their order, each with the heading above it. */
export function rowsOf(scoreboard: string): Row[] {
  const rows: Row[] = [];
  let group = '';
  for (const line of scoreboard.split('\n')) {
    if (line.startsWith('### ')) group = line.slice(4).trim();
    const [, id, capability] = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
    if (id && capability && /^[A-SZ]\d\d$/.test(id)) rows.push({ id, group, capability });
  }
  return rows;
}

/**
 * The title of a test: a call of test, it or describe, with `.each(...)`, `.for(...)` and the like between, whose first
 * argument is a text. A test that is skipped or still to do proves nothing.
 */
const TITLE =
  /(?<![.\w])(?:test|it|describe)((?:\.\w+(?:<(?:[^()]|\([^()]*\))*?>(?=\())?(?:\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))?)*)\(\s*(['"`])((?:\\.|(?!\2).)*)\2/gs;
const NOT_RUN = /\.(?:skip|skipIf|todo|fails)\b/;

/** What the tests of one file prove, by the row ids their titles start with: `E03 E04 a broadcast ...`. */
export function proofsOf(file: string, text: string): Proof[] {
  const parts = partsOf(file, text);
  return [...text.matchAll(TITLE)].flatMap(([, modifiers = '', , title = '']) => {
    const ids = /^(?:[A-SZ]\d\d[\s,:]+)+/.exec(title)?.[0].match(/[A-SZ]\d\d/g) ?? [];
    return NOT_RUN.test(modifiers) ? [] : ids.map((id) => ({ id, file, title, parts }));
  });
}

/** A test in `real` uses the CLIs that its file is named after, or that stand in it as a word of their own. */
function partsOf(file: string, text: string): Part[] {
  const [, folder = '', ...rest] = file.split('/');
  if (folder === 'rules') return ['rule'];
  if (folder === 'simulator' || folder === 'tmux') return [folder];
  const clis = (['claude', 'codex'] as const).filter(
    (cli) => rest.join('/').includes(cli) || text.includes(`'${cli}'`),
  );
  return folder === 'real' ? clis : [];
}
