import fs from 'node:fs';
import path from 'node:path';

/**
 * The licence texts of every package that a bundle holds. `inputs` are the bundle's source files, relative to `root`.
 * Throws when a package names no licence at all: such a package may not be shipped.
 */
export function thirdPartyNotices(root: string, inputs: readonly string[]): string {
  const folders = new Set<string>();
  for (const input of inputs) {
    const folder = /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
    if (folder) folders.add(folder);
  }
  const notices = [...folders].sort().map((folder) => notice(path.join(root, folder)));
  return `The bundle in this folder holds code of these packages.\n\n${notices.join('\n')}`;
}

function notice(folder: string): string {
  const manifest: unknown = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const { name, version, license } = { name: '', version: '', license: '', ...(manifest as object) };
  const file = fs.readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.|$)/i.test(entry));
  if (!license && !file) throw new Error(`${name} ${version} names no licence`);
  const text = file ? fs.readFileSync(path.join(folder, file), 'utf8').trim() : `Licensed under ${license}.`;
  return `${'-'.repeat(80)}\n${name} ${version} (${license})\n\n${text}\n`;
}
