import { given } from '../fields.ts';
import { RISKS, type Risk, type RouteMatch } from '../tasks/shape.ts';

const quoted = (inside: string) => `(?:'${inside.replaceAll('Q', "'")}'|"${inside.replaceAll('Q', '"')}")`;
const TEXT = quoted('[^Q]*[^Q\\s][^Q]*');
const LIST = `\\[\\s*${TEXT}(?:\\s*,\\s*${TEXT})*\\s*\\]`;
const RISK = quoted(`(?:${RISKS.join('|')})`);

/** What a rule of a spec may say under `when`: one comparison. */
export const WHEN = new RegExp(
  `^\\s*task\\.(?:type\\s+in\\s+${LIST}|type\\s*==\\s*${TEXT}|risk\\s*==\\s*${RISK}|files\\s+matches\\s+${LIST})\\s*$`,
);

/** The match that says the same as `when`, which is one that `WHEN` fits. In its globs `*` crosses folders. */
function matchOf(when: string): RouteMatch {
  const field = /^\s*task\.(\w+)/.exec(when)?.[1];
  const values = [...when.matchAll(/'([^']*)'|"([^"]*)"/g)].map(([, single, double]) => single ?? double ?? '');
  if (field === 'type') return { type: values };
  if (field === 'files') return { files: values.map(acrossFolders) };
  return { risk: values.flatMap((value): Risk[] => RISKS.filter((risk) => risk === value)) };
}

function acrossFolders(glob: string): string {
  return glob.includes('/') ? glob.replaceAll(/\*+/g, '**') : glob;
}

/** What `match` and `when` ask for together, or why no match can say that. */
export function bothOf(match: RouteMatch | undefined, when: string | undefined): RouteMatch | string {
  const said = when === undefined ? {} : matchOf(when);
  const type = common(match?.type, said.type);
  const risk = common(match?.risk, said.risk);
  if (type?.length === 0 || risk?.length === 0) return 'this and match never hold together; keep one of the two';
  if (match?.files && said.files) return 'this and match both speak of files; keep one of the two';
  return { ...match, ...said, ...(type ? { type } : {}), ...(risk ? { risk } : {}) };
}

/** What stands in both lists; the one that is there when the other is not. */
function common<Item>(one: readonly Item[] | undefined, other: readonly Item[] | undefined) {
  return one && other ? one.filter((item) => other.includes(item)) : (one ?? other);
}

/** A match as documents and specs hold it. */
export function matchFields({ type, risk, requires_tools, files, assignee }: RouteMatch) {
  return given({
    type: type && [...type],
    risk: risk && [...risk],
    requires_tools: requires_tools && [...requires_tools],
    files: files && [...files],
    assignee: assignee && [...assignee],
  });
}
