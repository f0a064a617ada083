import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AgentId, isRefusal, refuse } from '../../src/kernel/index.ts';
import { adoptRole, compileTeam, type Surroundings, type TeamFile } from '../../src/team/index.ts';

const around: Surroundings = {
  folder: '/w/.team/shop',
  workspace: '/w',
  fallbackName: 'shop',
  profile: () => undefined,
  providers: (name) => (name === 'scripted' ? { ok: true, name } : refuse('unknown_provider', `no ${name}`)),
  kindOf: (place) => (place === '/w' ? 'folder' : 'nothing'),
};

const role = (name: string, file = `agents/${name}.md`, more = ''): TeamFile => ({
  path: file,
  text: `---\nname: ${name}\nrole: developer\nprovider: scripted\ntools: [fs_read]\n${more}---\nBuild it.\n`,
});
const head = (text: string): TeamFile => ({ path: 'TEAM.md', text: `---\n${text}---\n` });

const idsOf = (files: readonly TeamFile[], added: readonly TeamFile[], replaced: readonly string[]) => {
  const [id = ''] = replaced;
  const team = compileTeam(files, around, {
    added: added.map((file) => ({ ...file, id })),
    replaced: new Set(replaced),
  });
  return isRefusal(team) ? team.message : team.agents.map(({ id, file }) => [id, file]);
};

describe('a team and who was added to it or removed from it', () => {
  const files = [role('ann'), role('bob')];

  it('G06 who was added comes after those of the documents', () => {
    expect(idsOf(files, [role('carl', 'added/carl.md')], ['carl'])).toEqual([
      ['ann', '/w/.team/shop/agents/ann.md'],
      ['bob', '/w/.team/shop/agents/bob.md'],
      ['carl', '/w/.team/shop/added/carl.md'],
    ]);
  });

  it('G08 who was removed is not in it, whatever is wrong with its document', () => {
    const broken = role('bob', 'agents/bob.md', 'colour: red\n');
    expect(idsOf([role('ann'), broken], [], ['bob'])).toEqual([['ann', '/w/.team/shop/agents/ann.md']]);
    expect(idsOf([role('ann'), broken], [], [])).toContain('colour');
  });

  it('G08 who was added under the name of a removed one takes its place', () => {
    expect(idsOf(files, [role('bob', 'added/bob.md')], ['bob'])).toEqual([
      ['ann', '/w/.team/shop/agents/ann.md'],
      ['bob', '/w/.team/shop/added/bob.md'],
    ]);
  });

  it('G08 TEAM.md may still name who was removed', () => {
    const named = head('startup_order: [bob, ann]\ntasks: [{id: t, title: T, assignee: bob}]\n');
    expect(idsOf([named, ...files], [], ['bob'])).toEqual([['ann', '/w/.team/shop/agents/ann.md']]);
    expect(idsOf([named, role('ann')], [], [])).toContain('there is no agent "bob"');
  });

  it('G06 TEAM.md may name who was added, who is none of those that it describes itself', () => {
    const named = head('startup_order: [carl]\nrouting: {default_assignee: carl}\n');
    const changes = { added: [{ ...role('carl', 'added/carl.md'), id: 'carl' }], replaced: new Set(['carl', 'bob']) };
    const team = compileTeam([named, ...files], around, changes);
    if (isRefusal(team)) throw new Error(team.message);
    expect(team.agents.map(({ id }) => id)).toEqual(['carl', 'ann']);
    expect(team.described.map(({ id }) => id)).toEqual(['ann', 'bob']);
  });

  it.each(['ann', 'zed'])(
    'G06 a document of somebody added that was edited to be %s is told, with its file',
    (name) => {
      expect(idsOf(files, [role(name, 'added/carl.md')], ['carl'])).toContain(
        `/w/.team/shop/added/carl.md:2: name: "${name}" is another name: this document is kept for carl`,
      );
    },
  );
});

describe('a role document that another member gets', () => {
  const adopt = (text: string, more: object = {}) =>
    adoptRole('/roles/ann.md', text, { id: 'bob' as AgentId, ...more });

  it('G06 it has its own name, a script that is found from anywhere, and the rest as it was written', () => {
    const text =
      '---\r\n# who\r\nname: ann # me\nrole: reader: slow\ntools:\n  - *\nscript: play.yaml\n---\n\nBody\n\n---\nmore\n';
    expect(adopt(text)).toBe(
      '---\n# who\nname: bob # me\nrole: "reader: slow"\ntools:\n  - "*"\nscript: /roles/play.yaml\n---\n\nBody\n\n---\nmore\n',
    );
    expect(adopt(text, { role: 'writer' })).toContain('role: "writer"\n');
    expect(adopt('---\nscript: /elsewhere/play.yaml\n---\n')).toContain('script: /elsewhere/play.yaml\n');
  });

  it('G06 what cannot be read is told with file and line', () => {
    const refused = adopt('---\nname: ann\nname: bob\n---\n');
    expect(isRefusal(refused) && refused.message).toContain('/roles/ann.md:3: name: ');
  });

  it('G06 whatever stands in it, the copy reads as the document did but for its name', () => {
    const value = fc.oneof(
      fc.string().map((text) => text.replaceAll('\n', ' ')),
      fc.integer(),
      fc.boolean(),
      fc.array(fc.string()),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{3,8}$/), value), fc.string(), (fields, body) => {
        const lines = Object.entries(fields).map(([key, one]) => `${key}: ${JSON.stringify(one)}\n`);
        const text = `---\n${lines.join('')}---\n${body.replace(/^---/gm, '-')}`;
        const once = adopt(text);
        expect(typeof once).toBe('string');
        // A copy of a copy is the copy: nothing is added, lost or changed on the way.
        expect(adopt(String(once))).toBe(once);
      }),
    );
  });
});
