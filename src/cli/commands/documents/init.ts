import fs from 'node:fs';
import path from 'node:path';
import { readIfThere } from '../../../kernel/files.ts';
import { isRefusal, type Refusal, refuse } from '../../../kernel/reasons.ts';
import { printable, shellWord } from '../../../kernel/text.ts';
import type { Context } from '../../context.ts';
import { type Outcome, outcomeOf, refused } from '../../outcome.ts';
import { writtenLines } from '../../rendering/documents.ts';
import { findWorkspace } from '../../workspace.ts';

const ROLE = `---
# The id by which everybody calls this agent.
name: builder
role: developer
# The CLI that plays it: claude, codex, or scripted, which costs nothing.
provider: scripted
# What it may use: fs_read, fs_list, fs_write, execute_bash, git_diff, network, ...
tools: [fs_read, fs_list, fs_write, execute_bash]
# model: the name of a model; without it the CLI's own settings decide
# working_directory: a folder of the project
# permission_mode: manual, plan, accept_edits, auto, or bypass (which needs --yes)
# env: [NAMES, OF, VARIABLES] that it gets from whoever starts it
---

You build what you are asked for, in small steps that you try out.
Report what you changed, and how you know that it works.
`;

const head = (name: string) => `---
name: ${JSON.stringify(name)}
# When the leader is woken: each result, only when it matters (quiet), or digest.
notify: each
# Who answers when an agent asks whether it may do something: person, or leader too.
approvals: person
# startup_order: [builder]
# max_active_agents: 4
# tasks:
#   - {id: first, title: What is to be done first, assignee: builder}
#   - {id: second, title: What builds on it, deps: [first]}
# routing:
#   default_assignee: builder
---

Say here what the team is for.
`;

/** Makes the documents of a team to begin with. Files that are there stay; what is to be written in their place leaves a copy of them. */
export async function run(context: Context, { force = false }: { readonly force?: boolean }): Promise<Outcome> {
  const workspace = findWorkspace(context, 'change');
  if (isRefusal(workspace)) return refused(workspace);
  if (context.environment.TEAM_AGENT_ID) return refused(notForAgents());
  const name = context.globals.team ?? path.basename(workspace);
  const { teamIdOf } = await import('../../../team/index.ts');
  const id = teamIdOf(name);
  if (id === undefined) return refused(noName(name));
  const folder = path.join(workspace, '.team', id);
  const files = new Map([
    [path.join(folder, 'TEAM.md'), head(name)],
    [path.join(folder, 'agents', 'builder.md'), ROLE],
  ]);
  const there = [...files.keys()].filter((file) => fs.existsSync(file));
  if (there.length > 0 && !force) return refused(areThere(there, folder, context.globals));
  const kept: string[] = [];
  for (const [file, text] of files) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const copy = keepCopy(file, text);
    if (copy !== undefined) kept.push(copy);
    fs.writeFileSync(file, text);
  }
  const next = [`team-agent validate ${shellWord(folder)}`, `team-agent quick-start ${shellWord(folder)}`];
  const written = [...files.keys()];
  return outcomeOf({ ok: true as const, team: id, team_dir: folder, files: written, kept, next }, (_, look) => [
    ...kept.map((file) => `kept what was there as ${printable(file)}`),
    ...writtenLines(written, next, look),
  ]);
}

/** Copies what will be overwritten to a name that is free and that is no document; undefined when nothing would be lost. */
function keepCopy(file: string, text: string): string | undefined {
  const there = readIfThere(file);
  if (there === undefined || there === text) return undefined;
  for (let count = 1; ; count++) {
    const copy = `${file}.old${count === 1 ? '' : count}`;
    if (readIfThere(copy) === there) return copy;
    if (fs.existsSync(copy)) continue;
    fs.copyFileSync(file, copy, fs.constants.COPYFILE_EXCL);
    return copy;
  }
}

function notForAgents(): Refusal {
  return refuse('worker_may_not', 'An agent may not make the documents of a team.', { next: ['team-agent status'] });
}

function noName(name: string): Refusal {
  return refuse('team_name_invalid', `${JSON.stringify(name)} is a name that .team/ uses itself. Give another one.`, {
    next: ['team-agent init --team web-shop'],
  });
}

function areThere(files: readonly string[], folder: string, { team }: Context['globals']): Refusal {
  const which = team === undefined ? '' : ` --team ${shellWord(team)}`;
  return refuse(
    'team_document_invalid',
    `${files.join(' and ')} ${files.length === 1 ? 'is' : 'are'} there already. Nothing was written.`,
    {
      evidence: { files },
      next: [
        `team-agent validate ${shellWord(folder)}`,
        'team-agent init --team OTHER',
        `team-agent init${which} --force`,
      ],
    },
  );
}
