import { describe, expect, it } from 'vitest';
import { isRefusal, type Refusal } from '../../src/kernel/index.ts';
import { compileTeam, type Team } from '../../src/team/index.ts';
import { around } from './team-documents.ts';

const HEAD = 'name: amy\nrole: dev\nprovider: scripted\n';

function compile(text: string, team = ''): Team | Refusal {
  const files = team === '' ? [] : [{ path: 'TEAM.md', text: team }];
  return compileTeam([...files, { path: 'agents/amy.md', text }], around);
}

function agent(text: string) {
  const team = compile(text);
  if (isRefusal(team)) throw new Error(team.message);
  return team.agents[0];
}

function wrong(text: string, team?: string): string[] {
  const refusal = compile(text, team);
  if (!isRefusal(refusal)) throw new Error('these documents were accepted');
  return refusal.message.split('\n').map((line) => line.replace('/w/.team/shop/', ''));
}

const document = (fields: string, body = 'Build it.') => `---\n${HEAD}${fields}---\n${body}\n`;

describe('YAML as people write it', () => {
  it.each([
    ['a flow list', 'tools: [fs_read, execute_bash]\n'],
    ['a quoted flow list', `tools: ['fs_read', "execute_bash"]\n`],
    ['a flow list over lines', 'tools: [\n  fs_read,\n  execute_bash,\n]\n'],
    ['a list that is indented', 'tools:\n  - fs_read\n  - execute_bash\n'],
    ['a list at the edge', 'tools:\n- fs_read\n- execute_bash\n'],
    ['comments behind values', 'tools: # what it may use\n  - fs_read # read\n  - execute_bash   # run\n'],
    ['comments between items', 'tools:\n  # first\n  - fs_read\n\n  # then\n  - execute_bash\n'],
    ['a tab behind a value', 'tools:\t[fs_read, execute_bash]\t# both\n'],
    ['JSON', 'tools: ["fs_read", "execute_bash"]\n'],
  ])('B01 Z09 %s is the same list', (_, tools) => {
    for (const ends of ['\n', '\r\n'])
      expect(agent(document(tools).replaceAll('\n', ends))).toMatchObject({
        tools: ['execute_bash', 'fs_read'],
        prompt: 'Build it.',
      });
  });

  it.each([
    ['model: opus # the large one', 'opus'],
    ['model: "opus # the large one"', 'opus # the large one'],
    ['model: opus#4', 'opus#4'],
    ["model: 'it''s'", "it's"],
    ['model: "a\\tb"', 'a\tb'],
    ['model: yes', 'yes'],
    ['model: 1.5.0', '1.5.0'],
    ['model: >\n  one\n  two', 'one two\n'],
    ['model: |-\n  one\n  two', 'one\ntwo'],
    ['"model": x', 'x'],
    ['model: https://example.invalid/x', 'https://example.invalid/x'],
    ['model: a: b', 'a: b'],
  ])('B01 Z09 %j is the text %j', (line, model) => {
    expect(agent(document(`tools: []\n${line}\n`))?.model).toBe(model);
  });

  it('B01 Z09 documents with CRLF keep their bodies, with the line ends of everybody', () => {
    const text = document('tools: []\n', 'One.\n\n  Two.\n').replaceAll('\n', '\r\n');
    expect(agent(text)?.prompt).toBe('One.\n\n  Two.');
  });

  it.each([
    ['a key twice', 'tools: []\nname: bob\n', 'agents/amy.md:6: name: this key is written twice; keep one of the two'],
    ['a key twice inside', 'tools: []\nenv: [CI]\nenv: [LANG]\n', 'agents/amy.md:7: env: this key is written twice'],
    ['a tab that indents', 'tools:\n\t- fs_read\n', 'agents/amy.md:6: front matter: a tab cannot indent; use spaces'],
    ['a list that is never closed', 'tools: [fs_read\n', 'agents/amy.md:'],
    [
      'an item that is no list',
      'tools: fs_read, execute_bash\n',
      'agents/amy.md:5: tools: "fs_read, execute_bash" does not',
    ],
    ['a number', 'tools: []\nmodel: 007\n', 'agents/amy.md:6: model: 7 does not fit; write the name of a model'],
    ['an anchor', 'tools: []\nmodel: &a x\nenv: [*a]\n', 'agents/amy.md:7: '],
    ['a tag', 'tools: []\nmodel: !!binary aaaa\n', 'agents/amy.md:6: model: '],
    ['a second document', 'tools: []\n...\nmodel: x\n', 'agents/amy.md:'],
  ])('B03 Z09 %s is told with file and line', (_, fields, told) => {
    for (const ends of ['\n', '\r\n']) {
      const lines = wrong(document(fields).replaceAll('\n', ends));
      expect(lines.some((line) => line.startsWith(told))).toBe(true);
    }
  });

  it('B03 Z01 a role document that lacks a field names the field and the file', () => {
    for (const field of ['name', 'role', 'provider', 'tools']) {
      const text = document('tools: []\n').replace(new RegExp(`^${field}: .*\\n`, 'm'), '');
      expect(wrong(text)).toEqual([expect.stringMatching(`^agents/amy\\.md:1: ${field}: is missing; write `)]);
    }
  });

  it.each([
    '..',
    '../x',
    'a b',
    'a:b',
    'a.b',
    '',
    ' ',
    'a'.repeat(65),
    'leader',
    'LEADER',
    'team-agent',
    '*',
    '-a',
    'é',
    'a\n',
  ])('B04 Z10 %j is no id of an agent', (name) => {
    const text = document('tools: []\n').replace('name: amy', `name: ${JSON.stringify(name)}`);
    expect(wrong(text)[0]).toMatch(/^agents\/amy\.md:2: name: .* cannot be an agent; write 1 to 64 of the characters/);
    expect(compile(text)).toMatchObject({ reason: 'agent_id_invalid' });
  });

  it('B06 Z06 TEAM.md is no agent, and whoever leads is none', () => {
    const team = compile(document('tools: []\n'), '---\nname: leader\nleader_role: boss\n---\n');
    expect(team).toMatchObject({ id: 'leader', leaderRole: 'boss', agents: [{ id: 'amy' }] });
  });
});
