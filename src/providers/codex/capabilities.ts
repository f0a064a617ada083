import { type Refusal, refuse } from '../../kernel/index.ts';
import { compareVersions } from '../command.ts';
import type { Capabilities } from '../shape.ts';

/** The oldest version that was measured; older ones lack `thread/queue/*`, or have other words for it. */
const OLDEST = '0.169.0';
/** The line of versions that was measured, protocol and record. */
const MEASURED = /^0\.169\./;

/** How a Codex that is missing or too old is put in place. */
export const INSTALL = 'npm install --global @openai/codex';

/** What this version of Codex is known to do. A newer one than was measured gets only what proves itself at each start. */
export function capabilitiesOf(version: string): Capabilities | Refusal {
  if (version === '' || compareVersions(version, OLDEST) < 0) {
    return refuse(
      'provider_version_unsupported',
      `Codex ${version || 'of an unknown version'} is too old: ${OLDEST} is the first one whose app-server takes messages into a queue.`,
      { evidence: { version, oldest: OLDEST }, next: [INSTALL] },
    );
  }
  const known = MEASURED.test(version);
  return {
    versions: '0.169',
    known,
    protocol: true,
    paste: true,
    approvals: known,
    resume: known,
    fork: known,
    evidence: known
      ? 'measured with 0.169.0: the conformance suite, and the journeys of test/real'
      : `${version} was never measured: its protocol has to prove itself at each start`,
  };
}

/** What a person should know about a version that was never measured. */
export function warningsOf(version: string, { known }: Capabilities): readonly string[] {
  if (known) return [];
  return [
    `Codex ${version} is newer than what Team Agent was measured with (0.169): its app-server is used as far as it proves itself; approvals are answered in its terminal.`,
  ];
}
