/**
 * Does a path fit a glob? `*` and `?` stand for characters of one name, `**` for any number of folders, `{a,b}` for one of
 * several texts; everything else stands for itself. A glob without `/` is about the file's own name, in whatever folder.
 */
export function fitsGlob(path: string, glob: string): boolean {
  const plain = path.replace(/^\.\//, '');
  const expression = new RegExp(`^${expressionOf(glob.replace(/^\.\//, ''))}$`, 'su');
  return expression.test(glob.includes('/') ? plain : (plain.split('/').at(-1) ?? plain));
}

const WILD: Readonly<Record<string, string>> = {
  '**/': '(?:.*/)?',
  '**': '.*',
  '*': '[^/]*',
  '?': '[^/]',
};

function expressionOf(glob: string): string {
  return glob.replace(/\*\*\/|\*\*|[*?]|\{[^{}]*\}|[\s\S]/gu, (part) => {
    if (part.length > 1 && part.startsWith('{'))
      return `(?:${part.slice(1, -1).split(',').map(expressionOf).join('|')})`;
    return WILD[part] ?? part.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
  });
}
