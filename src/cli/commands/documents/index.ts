import type { Command } from 'commander';
import type { Perform } from '../declaring.ts';

export function documentsCommands(program: Command, perform: Perform): void {
  program
    .command('init')
    .summary('make the documents of a first team')
    .description(
      'Makes .team/NAME/TEAM.md and one role document, with comments that say what can stand there. NAME is that of --team, else of the project folder. Nothing is ever deleted: what --force overwrites is kept beside it as FILE.old.',
    )
    .option('--force', 'overwrite them when they are there')
    .action((flags) => perform(async (context) => (await import('./init.ts')).run(context, flags)));
  program
    .command('validate [dir]')
    .summary('are these team documents right?')
    .description(
      'Checks a folder with TEAM.md and agents/*.md, or a spec, and tells everything that is wrong with file, line and key. Without a word: the team of this project. Changes nothing.',
    )
    .action((place: string | undefined) =>
      perform(async (context) => (await import('./validate.ts')).run(context, place)),
    );
  program
    .command('compile')
    .summary('write a team into one spec file')
    .description(
      'Writes the team whose documents lie in the folder --team (default: the team of this project) into one spec. `quick-start` starts that file too.',
    )
    .option('--out <file>', 'where to (default: team.spec.yaml)')
    .action((flags) => perform(async (context) => (await import('./compile.ts')).run(context, flags)));
  program
    .command('schema [name]')
    .summary('the JSON Schema of a document')
    .description('Prints the JSON Schema of one document: team, role, spec or result. Without a word: where they lie.')
    .action((name: string | undefined) => perform(async (context) => (await import('./schema.ts')).run(context, name)));
}
