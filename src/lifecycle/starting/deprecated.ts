import type { Change } from '../../ledger/index.ts';
import type { Team } from '../../team/index.ts';

/**
 * Records that a team was started whose documents switch on what trusts nothing any more. Each start that reads them records
 * it, so that a switch which somebody relies on is not lost in an old log.
 */
export async function recordDeprecated(change: Change, { autoTrust }: Pick<Team, 'autoTrust'>): Promise<void> {
  if (!autoTrust) return;
  await change.event('trust_auto_answer_spec_opt_in_deprecated', {
    deprecated_field: 'spec.runtime.auto_trust_own_workspace',
    preferred_opt_in: 'flag:--trust',
    removal_target_version: '0.3.0',
  });
}
