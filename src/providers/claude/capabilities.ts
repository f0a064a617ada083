import { compareVersions } from '../command.ts';
import type { Capabilities } from '../shape.ts';

/** The oldest version that was measured. */
export const OLDEST = '2.1.330';

/** The line of versions that was measured: it may have grown, but not changed its ways. */
const MEASURED_LINE = /^2\.1\./;

/** What a version can do; undefined when it is older than any that was measured. */
export function capabilitiesOf(version: string): Capabilities | undefined {
  if (!/^\d+(\.\d+)+$/.test(version)) return unknownVersion(version || 'unknown');
  if (compareVersions(version, OLDEST) < 0) return undefined;
  if (!MEASURED_LINE.test(version)) return unknownVersion(version);
  return {
    versions: '2.1.330 and later 2.1',
    known: true,
    protocol: true,
    paste: true,
    approvals: true,
    resume: true,
    fork: true,
    evidence: 'measured with 2.1.330: inbox socket, session registry, hooks, transcript',
  };
}

/** Only what proves itself at the start: its inbox, by the entry in its registry that names our socket. */
function unknownVersion(version: string): Capabilities {
  return {
    versions: version,
    known: false,
    protocol: true,
    paste: true,
    approvals: false,
    resume: false,
    fork: false,
    evidence: `version ${version} was never measured`,
  };
}
