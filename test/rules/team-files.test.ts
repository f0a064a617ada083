import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AgentId, isRefusal, type Refusal } from '../../src/kernel/index.ts';
import {
  type AgentSpec,
  describesAgent,
  installTeam,
  planInstall,
  readTeam,
  type Team,
  teamIdAt,
} from '../../src/team/index.ts';
import { freshFolder } from '../support/files.ts';

const AMY = '---\nname: amy\nrole: developer\nprovider: scripted\ntools: [fs_read]\n---\nBuild it.\n';
const PLAYER = AMY.replace('amy', 'pat').replace('---\nBuild', 'script: ../plays/pat.yaml\n---\nBuild');

function write(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

function read(folder: string, workspace?: string): Team | Refusal {
  return readTeam(folder, {
    fallbackName: path.basename(folder),
    providers: (name) => ({ ok: true, name }),
    ...(workspace === undefined ? {} : { workspace }),
  });
}

function team(folder: string, workspace?: string): Team {
  const found = read(folder, workspace);
  if (isRefusal(found)) throw new Error(found.message);
  return found;
}

describe('reading a team folder', () => {
  it('B02 which team a place means is read from its head alone, whatever else is wrong', () => {
    const folder = write(freshFolder('named'), {
      'TEAM.md': '---\nname: Web shop\ncolour: red\n---\n',
      'agents/amy.md': 'no head',
      'shop.spec.yaml': 'version: 1\nteam: {name: From spec}\nagents: 7\n',
    });
    const loose = write(freshFolder('loose'), { 'amy.md': AMY });
    const places = [folder, loose, path.join(folder, 'shop.spec.yaml'), path.join(folder, 'agents', 'amy.md')];
    expect(places.map((place) => teamIdAt(place, 'fall back'))).toEqual([
      'Web-shop',
      'fall-back',
      'From-spec',
      'fall-back',
    ]);
  });

  it('G09 documents describe whom they name, and whoever may stand in one that cannot be read', () => {
    const folder = write(freshFolder('described'), { 'TEAM.md': 'x', 'agents/a.md': `${AMY}colour` });
    const is = (place: string, id: string) => describesAgent(place, id as AgentId);
    expect([is(folder, 'amy'), is(folder, 'bob'), is('/nowhere/at/all', 'bob')]).toEqual([true, false, true]);
    write(folder, { 'agents/b.md': '---\nname: "b\n---\n' });
    expect(is(folder, 'bob')).toBe(true);
  });

  it('B02 role documents in agents/, or directly in the folder, are a team without TEAM.md', () => {
    const tidy = write(freshFolder('tidy'), {
      'agents/amy.md': AMY,
      'README.md': 'not a role',
      'agents/.hidden.md': '',
    });
    const loose = write(freshFolder('loose'), { 'amy.md': AMY, 'README.md': 'not a role' });
    for (const folder of [tidy, loose]) {
      expect(team(folder)).toMatchObject({
        name: path.basename(folder),
        hasTeamDocument: false,
        agents: [{ id: 'amy' }],
      });
    }
  });

  it('B02 Z06 TEAM.md beside loose role documents gives the name, and is no agent', () => {
    const folder = write(freshFolder('loose'), { 'TEAM.md': '---\nname: shop\n---\n', 'amy.md': AMY });
    expect(team(folder)).toMatchObject({ name: 'shop', hasTeamDocument: true, agents: [{ id: 'amy' }] });
  });

  it('B01 the workspace is the folder around .team/, or around the team, or the given one', () => {
    const workspace = freshFolder('workspace');
    const inside = write(path.join(workspace, '.team', 'shop'), { 'agents/amy.md': AMY });
    const beside = write(path.join(workspace, 'roles'), { 'agents/amy.md': AMY });
    for (const folder of [inside, beside]) expect(team(folder).agents[0]?.folder).toBe(workspace);
    expect(team(beside, beside).agents[0]?.folder).toBe(beside);
  });

  it('B03 a folder that is not there, and a file that is not text', () => {
    const folder = freshFolder('empty');
    expect(read(path.join(folder, 'nowhere'))).toMatchObject({ ok: false, reason: 'team_directory_missing' });
    expect(read(folder)).toMatchObject({ ok: false, reason: 'team_document_invalid' });
    fs.writeFileSync(path.join(folder, 'amy.md'), Buffer.from([0x2d, 0x2d, 0x2d, 0x0a, 0xff, 0xfe]));
    expect(read(folder)).toMatchObject({ ok: false, message: expect.stringMatching(/amy\.md:1: encoding: .*UTF-8/) });
  });

  it('B03 the command that helps quotes the folder for the shell', () => {
    const folder = path.join(freshFolder('odd'), "it's here");
    fs.mkdirSync(folder);
    expect(read(folder)).toMatchObject({ next: [`team-agent quick-start '${folder.replace("'", "'\\''")}'`] });
  });
});

describe('keeping a team under .team/', () => {
  const documents = {
    'TEAM.md': '---\nname: Web shop\n---\nSell.\r\n',
    'agents/amy.md': AMY,
    'agents/pat.md': PLAYER,
    'plays/pat.yaml': '- say: hello\n',
    'notes.txt': 'stays behind',
  };

  function installed(source: string, workspace: string): string {
    const result = installTeam(source, workspace, team(source, workspace));
    if (isRefusal(result)) throw new Error(result.message);
    return result.folder;
  }

  it('B02 the copy is the same team, without the source, with scripts', () => {
    const workspace = freshFolder('workspace');
    const source = write(freshFolder('source'), documents);
    const before = team(source, workspace);
    const folder = installed(source, workspace);
    fs.rmSync(source, { recursive: true });
    const moved = (place: string) => place.replace(source, folder);
    expect(folder).toBe(path.join(workspace, '.team', 'Web-shop'));
    const kept = ({ file, script, ...agent }: AgentSpec) => ({
      ...agent,
      file: moved(file),
      ...(script === undefined ? {} : { script: moved(script) }),
    });
    expect(team(folder)).toEqual({
      ...before,
      folder,
      agents: before.agents.map(kept),
      described: before.described.map(kept),
    });
    expect(fs.readdirSync(folder).sort()).toEqual(['TEAM.md', 'agents', 'plays']);
    expect(fs.readFileSync(path.join(folder, 'TEAM.md'), 'utf8')).toBe(documents['TEAM.md']);
  });

  it('B02 a loose team gets a TEAM.md that keeps its name', () => {
    const workspace = freshFolder('workspace');
    const source = write(freshFolder('source'), { 'amy.md': AMY, 'README.md': 'stays behind' });
    const loose = readTeam(source, {
      fallbackName: 'The "A": team',
      providers: (name) => ({ ok: true, name }),
      workspace,
    });
    if (isRefusal(loose)) throw new Error(loose.message);
    expect(installTeam(source, workspace, loose)).toMatchObject({ written: ['TEAM.md', 'agents/amy.md'] });
    const { name, objective, id } = team(path.join(workspace, '.team', loose.id));
    expect({ name, objective, id }).toEqual({ name: loose.name, objective: loose.objective, id: loose.id });
  });

  it('B02 a second time, and after half of it was lost, nothing but the missing is written', () => {
    const workspace = freshFolder('workspace');
    const source = write(freshFolder('source'), documents);
    const folder = installed(source, workspace);
    expect(installTeam(source, workspace, team(source, workspace))).toEqual({ ok: true, folder, written: [] });
    fs.rmSync(path.join(folder, 'agents/pat.md'));
    expect(installTeam(source, workspace, team(source, workspace))).toMatchObject({ written: ['agents/pat.md'] });
  });

  it.each([
    ['TEAM.md', '---\nname: Web shop\n---\nother\n', /TEAM\.md is there and differs/],
    ['plays/pat.yaml', '', /pat\.yaml is there and differs/],
    ['agents/zed.md', AMY.replace('amy', 'zed'), /zed\.md is there, and the given documents have no such agent/],
  ])('B02 another %s in the way is refused, and every file stays', (name, text, message) => {
    const workspace = freshFolder('workspace');
    const source = write(freshFolder('source'), documents);
    const folder = write(path.join(workspace, '.team', 'Web-shop'), { [name]: text });
    const result = installTeam(source, workspace, team(source, workspace));
    expect(result).toMatchObject({ ok: false, message: expect.stringMatching(message) });
    expect(fs.readFileSync(path.join(folder, name), 'utf8')).toBe(text);
    expect(
      fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
    ).toHaveLength(1);
  });

  it('B02 a folder under .team/ is used in place', () => {
    const workspace = freshFolder('workspace');
    const folder = write(path.join(workspace, '.team', 'current'), documents);
    expect(installTeam(folder, workspace, team(folder))).toEqual({ ok: true, folder, written: [] });
    expect(fs.readdirSync(path.join(workspace, '.team'))).toEqual(['current']);
  });

  it('B02 a script outside the folder cannot come along, one with an absolute path need not', () => {
    const workspace = freshFolder('workspace');
    const source = write(freshFolder('source'), { 'agents/pat.md': PLAYER.replace('../plays', '../../plays') });
    write(path.dirname(source), { 'plays/pat.yaml': '' });
    expect(installTeam(source, workspace, team(source, workspace))).toMatchObject({
      ok: false,
      reason: 'team_document_invalid',
    });
    expect(fs.existsSync(path.join(workspace, '.team'))).toBe(false);
    write(source, { 'agents/pat.md': PLAYER.replace('..', path.dirname(source)) });
    expect(installTeam(source, workspace, team(source, workspace))).toMatchObject({
      written: ['TEAM.md', 'agents/pat.md'],
    });
  });

  it('B02 the plan writes what is missing and refuses what differs', () => {
    const [one, other] = [Buffer.from('1'), Buffer.from('2')];
    const source = [
      { path: 'TEAM.md', bytes: one },
      { path: 'agents/a.md', bytes: one },
    ];
    expect(planInstall('/t', source, [{ path: 'TEAM.md', bytes: one }])).toEqual([source[1]]);
    expect(planInstall('/t', source, [{ path: 'TEAM.md', bytes: other }])).toMatchObject({
      evidence: { files: ['/t/TEAM.md'] },
    });
  });
});

describe('a spec as a team', () => {
  const SPEC = `version: 1
team: {name: shop, workspace: ..}
agents:
  - {id: pat, role: player, provider: scripted, tools: [fs_read], script: pat.yaml, env: [CI]}
  - {id: amy, role: developer, provider: scripted, tools: [], system_prompt: {file: amy.md}}
`;
  const inProject = () => {
    const workspace = freshFolder('workspace');
    const folder = write(path.join(workspace, 'specs'), {
      'team.spec.yaml': SPEC,
      'pat.yaml': '- say: hello\n',
      'amy.md': 'Build it.\n',
    });
    return { workspace, folder, spec: path.join(folder, 'team.spec.yaml') };
  };

  it('B01 its files are those beside it, and its project is the one that it names', () => {
    const { workspace, folder, spec } = inProject();
    expect(team(spec)).toMatchObject({
      workspace,
      folder,
      agents: [
        { id: 'pat', script: path.join(folder, 'pat.yaml') },
        { id: 'amy', prompt: 'Build it.' },
      ],
    });
    const link = path.join(freshFolder('links'), 'project');
    fs.symlinkSync(workspace, link);
    expect(team(spec, link).workspace).toBe(workspace);
    expect(read(spec, freshFolder('other'))).toMatchObject({ message: expect.stringMatching(/:2: team\.workspace: /) });
  });

  it('B02 it is kept as documents that say the same, once, and never over others', () => {
    const { workspace, folder, spec } = inProject();
    const first = installTeam(spec, workspace, team(spec));
    const kept = path.join(workspace, '.team', 'shop');
    const written = ['TEAM.md', 'agents/1-pat.md', 'agents/2-amy.md', 'agents/pat.yaml'];
    expect(first).toEqual({ ok: true, folder: kept, written });
    expect(fs.readFileSync(path.join(kept, 'agents/1-pat.md'), 'utf8')).toBe(
      '---\nname: pat\nrole: player\nprovider: scripted\ntools:\n  - fs_read\nworking_directory: .\nmcp: inherit\n' +
        'permission_mode: manual\nscript: pat.yaml\nenv:\n  - CI\n---\n\nplayer\n',
    );
    const before = team(spec);
    fs.rmSync(folder, { recursive: true });
    const after = team(kept);
    expect(after.agents.map(({ file, script, ...agent }) => agent)).toEqual(
      before.agents.map(({ file, script, ...agent }) => agent),
    );
    write(folder, {
      'team.spec.yaml': SPEC.replace('player', 'musician'),
      'pat.yaml': '- say: hello\n',
      'amy.md': 'Build it.\n',
    });
    expect(installTeam(spec, workspace, team(spec))).toMatchObject({
      ok: false,
      evidence: { files: [path.join(kept, 'agents/1-pat.md')] },
    });
    write(folder, { 'team.spec.yaml': SPEC });
    expect(installTeam(spec, workspace, team(spec))).toMatchObject({ ok: true, written: [] });
  });

  it('B03 a folder with nothing but a spec, and a spec that is no text, are told as what they are', () => {
    const { folder, spec } = inProject();
    fs.rmSync(path.join(folder, 'amy.md'));
    expect(read(folder)).toMatchObject({
      ok: false,
      next: [`team-agent quick-start ${spec}`, `team-agent validate ${spec}`],
    });
    expect(read(spec)).toMatchObject({
      message: expect.stringMatching(/:5: agents\.1\.system_prompt\.file: .*amy\.md is not a file/),
    });
    fs.writeFileSync(spec, Buffer.from([0xff, 0xfe]));
    expect(read(spec)).toMatchObject({ message: expect.stringMatching(/team\.spec\.yaml:1: encoding: .*UTF-8/) });
  });
});
