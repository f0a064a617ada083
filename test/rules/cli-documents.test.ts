import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { warnOfAutoTrust } from '../../src/cli/documents.ts';

test('B10 Z12 a process that reads such documents three times warns once', () => {
  const told: string[] = [];
  const stderr = new Writable({
    write(chunk, _, done) {
      told.push(String(chunk));
      done();
    },
  });
  warnOfAutoTrust({ autoTrust: false }, { stderr });
  expect(told).toEqual([]);
  for (let load = 0; load < 3; load++) warnOfAutoTrust({ autoTrust: true }, { stderr });
  expect(told).toEqual([expect.stringMatching(/^warning: auto_trust_own_workspace .*0\.3\.0.*--trust\.\n$/)]);
});
