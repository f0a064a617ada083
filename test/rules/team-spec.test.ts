import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal, type Refusal } from '../../src/kernel/index.ts';
import { compileTeam, readSpec, type SpecSurroundings, specOf, specText, type Team } from '../../src/team/index.ts';
import { documentsOf } from '../../src/team/spec/documents.ts';
import { around, teamOf, teamValues } from './team-documents.ts';

const inSpec: SpecSurroundings = {
  ...around,
  workspace: '/w',
  usualWorkspace: '/w',
  textOf: (file) => (file === '/w/.team/shop/prompts/amy.md' ? '\r\nBuild it.\r\n' : undefined),
  realOf: (place) => place.replace(/^\/link/, '/w'),
};

function read(text: string, more: Partial<SpecSurroundings> = {}): Team | Refusal {
  return readSpec({ path: 'team.spec.yaml', text }, { ...inSpec, ...more });
}

function team(text: string, more: Partial<SpecSurroundings> = {}): Team {
  const found = read(text, more);
  if (isRefusal(found)) throw new Error(found.message);
  return found;
}

/** A team but for where its documents are. */
function said({ folder, hasTeamDocument, agents, ...rest }: Team) {
  return { ...rest, agents: agents.map(({ file, ...agent }) => agent) };
}

describe('a team as a spec', () => {
  it.each(['/w/.team/shop/export', '/w', '/elsewhere'])(
    'B01 written to %s and read again it is the same team',
    (folder) => {
      fc.assert(
        fc.property(teamValues(), (values) => {
          const compiled = teamOf(values);
          const text = specText(specOf(compiled, { folder, workspace: '/w' }));
          expect(said(team(text, { folder, workspace: undefined }))).toEqual(said(compiled));
        }),
        { numRuns: 150 },
      );
    },
  );

  it('B02 kept as documents it is the same team, its scripts beside them', () => {
    const script = (one: Team) => one.agents.map(({ script, ...agent }) => ({ ...agent, plays: script !== undefined }));
    fc.assert(
      fc.property(teamValues(), (values) => {
        const compiled = teamOf(values);
        const again = compileTeam(documentsOf(compiled, '/w'), around);
        if (isRefusal(again)) throw new Error(again.message);
        const [one, other] = [said(compiled), said(again)];
        expect({ ...other, agents: script(again).map(({ file, ...agent }) => agent) }).toEqual({
          ...one,
          agents: script(compiled).map(({ file, ...agent }) => agent),
        });
      }),
      { numRuns: 150 },
    );
  });
});
