/*
 * A conversation that goes on with other variables than before may go on with another account or at another endpoint. Of the
 * variables that a life was given only the names are kept, in its handle; a start that resumes it says which are other now.
 */

/** The variables that a life gets because its document, its CLI or its profile asks for them, by name, each once, sorted. */
export function givenNames(asked: readonly string[], environment: Readonly<Record<string, string>>): readonly string[] {
  return [...new Set(asked)].filter((name) => environment[name] !== undefined).sort();
}

/** As a handle keeps them. */
export const written = (names: readonly string[]): string => names.join(' ');

/**
 * What a person is told of an agent whose conversation goes on with other variables. `before`: as a handle kept them;
 * undefined when it kept none.
 */
export function otherVariables(agent: string, before: string | undefined, now: readonly string[]): string[] {
  if (before === undefined) return [];
  const had = before.split(' ').filter((name) => name !== '');
  const missing = had.filter((name) => !now.includes(name));
  const added = now.filter((name) => !had.includes(name));
  const told = (what: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [`${agent} goes on ${what} ${names.join(', ')}: its conversation began otherwise.`];
  return [...told('without', missing), ...told('with', added)];
}
