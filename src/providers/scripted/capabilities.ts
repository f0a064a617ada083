import type { Capabilities } from '../shape.ts';

/** It is our own program, so there is one version of it: the one that came with this package. */
export const capabilities: Capabilities = {
  versions: 'the version of this package',
  known: true,
  protocol: true,
  paste: true,
  approvals: true,
  resume: true,
  fork: true,
  evidence: 'the conformance suite of providers, run against this program',
};
