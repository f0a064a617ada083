import fs from 'node:fs';
import path from 'node:path';
import { readIfThere } from '../../../kernel/index.ts';
import { type Fields, fieldsOf } from './json.ts';

/**
 * Does the person's own Claude Code trust this folder? As it decides itself: the main folder of the repository is asked first,
 * which a worktree of it shares; then the folder and those above it, inside a repository up to its root and no further.
 */
export function isTrusted(state: Fields | undefined, folder: string): boolean {
  const projects = fieldsOf(state?.projects);
  const trusts = (candidate: string): boolean => fieldsOf(projects?.[candidate])?.hasTrustDialogAccepted === true;
  const real = realPath(folder);
  const root = repositoryRoot(real);
  if (root !== undefined && trusts(mainFolder(root))) return true;
  return [...new Set([folder, real])].some((start) => foldersUpTo(start, root).some(trusts));
}

function realPath(folder: string): string {
  try {
    return fs.realpathSync(folder);
  } catch {
    return path.resolve(folder); // it is not there yet
  }
}

function foldersUpTo(start: string, root: string | undefined): string[] {
  const folders: string[] = [];
  for (let at = start; ; at = path.dirname(at)) {
    folders.push(at);
    if (at === root || at === path.dirname(at)) return folders;
  }
}

/** The nearest folder above (or at) `folder` with a `.git`. */
function repositoryRoot(folder: string): string | undefined {
  return foldersUpTo(folder, undefined).find((candidate) => fs.existsSync(path.join(candidate, '.git')));
}

/** The folder of the repository that a worktree belongs to; the root itself when it is no worktree. */
function mainFolder(root: string): string {
  const git = path.join(root, '.git');
  if (fs.statSync(git, { throwIfNoEntry: false })?.isDirectory() !== false) return root;
  const own = readIfThere(git)
    ?.match(/^gitdir: (.+)$/m)?.[1]
    ?.trim();
  if (own === undefined) return root;
  const worktree = path.resolve(root, own);
  const common = readIfThere(path.join(worktree, 'commondir'))?.trim();
  if (common === undefined) return root; // a submodule: a repository of its own
  const shared = realPath(path.resolve(worktree, common));
  return path.basename(shared) === '.git' ? path.dirname(shared) : shared;
}
