import { isRefusal, type Refusal, refuse, shellWord } from '../../../kernel/index.ts';
import { findCommand, LAUNCH } from '../../command.ts';
import { withCredentials } from '../../credentials.ts';
import type { Inspection, Installation } from '../../shape.ts';
import { capabilitiesOf, OLDEST } from '../capabilities.ts';
import {
  configurationFolder,
  keyAnswer,
  loginOf,
  readState,
  stateFile,
  userSettings,
} from '../sources/configuration.ts';
import type { Fields } from '../sources/json.ts';
import { isTrusted } from '../sources/trust.ts';

const INSTALL = 'npm install -g @anthropic-ai/claude-code';

/** Looks at Claude Code, its login and its trust in a folder, and changes nothing. */
export async function inspect(inspection: Inspection): Promise<Installation | Refusal> {
  const { environment } = inspection;
  const command = await findCommand('claude', environment, INSTALL);
  if (isRefusal(command)) return command;
  const capabilities = capabilitiesOf(command.version);
  if (!capabilities) {
    return refuse(
      'provider_version_unsupported',
      `${command.binary} is Claude Code ${command.version}; ${OLDEST} is the oldest that is supported.`,
      {
        evidence: { binary: command.binary, version: command.version, oldest: OLDEST },
        next: ['claude update', INSTALL],
      },
    );
  }
  const state = readState(environment);
  if (state === 'torn') {
    return refuse('provider_config_invalid', `${stateFile(environment)} is not JSON.`, {
      evidence: { file: stateFile(environment) },
      next: ['claude'],
    });
  }
  // With a configuration of its own it has a login and asks nothing; who trusts the folder is still the person.
  const { credentials } = inspection;
  const ownConfig = credentials !== undefined && credentials.files.length > 0;
  const unready = ownConfig ? undefined : refuseUnready(inspection, state);
  const refused = refuseRoot(inspection) ?? unready ?? refuseUntrusted(inspection, state);
  if (refused) return refused;
  const warning = `Claude Code ${command.version} was never measured: approvals, resume and fork are left to its own terminal.`;
  return {
    ...command,
    capabilities,
    warnings: capabilities.known ? [] : [warning],
    details: {
      config: configurationFolder(withCredentials(environment, credentials)),
      trusted: !ownConfig && isTrusted(state, inspection.folder) ? 'yes' : 'by_person',
    },
  };
}

/** Claude Code refuses by itself to run without questions as root, unless it is told that it stands in a sandbox. */
function refuseRoot({ agent, environment, permission }: Inspection): Refusal | undefined {
  const sandboxed = environment.IS_SANDBOX === '1' || Boolean(environment.CLAUDE_CODE_BUBBLEWRAP);
  if (permission !== 'bypass' || process.getuid?.() !== 0 || sandboxed) return undefined;
  return refuse(
    'provider_cannot',
    `Claude Code does not run ${agent} without asking (permission_mode: bypass) as root outside a sandbox.`,
    {
      evidence: { agent, permission, uid: 0, IS_SANDBOX: environment.IS_SANDBOX ?? null },
      next: [`env IS_SANDBOX=1 ${LAUNCH}`],
    },
  );
}

/** Questions that Claude Code would ask before anything else. Only a proved absence refuses. */
function refuseUnready({ environment: own, credentials }: Inspection, state: Fields | undefined): Refusal | undefined {
  const environment = { ...withCredentials(own, credentials), ...credentials?.secrets };
  const file = stateFile(environment);
  if (state?.hasCompletedOnboarding !== true) {
    return refuse(
      'provider_not_logged_in',
      'Claude Code has never been set up here: it would ask its first questions.',
      {
        evidence: { file, hasCompletedOnboarding: state?.hasCompletedOnboarding ?? null },
        next: ['claude'],
      },
    );
  }
  const answer = keyAnswer(environment, state);
  // A key that the person has refused is as good as none.
  const { ANTHROPIC_API_KEY: _refused, ...withoutKey } = environment;
  const { login, by } = loginOf(
    answer === 'rejected' ? withoutKey : environment,
    state,
    userSettings(configurationFolder(environment)),
  );
  if (login === 'no') {
    return refuse('provider_not_logged_in', 'Claude Code has no login here.', {
      evidence: { file, looked_for: by },
      next: ['claude /login'],
    });
  }
  if (answer === 'none' && credentials) return asksAboutKey(credentials.file, file);
  if (answer === 'none') {
    return refuse(
      'provider_not_logged_in',
      'Claude Code would ask whether it may use the ANTHROPIC_API_KEY of the environment: start it once and answer, or unset the variable.',
      {
        evidence: { file, variable: 'ANTHROPIC_API_KEY' },
        next: ['claude', `env -u ANTHROPIC_API_KEY ${LAUNCH}`],
      },
    );
  }
  return undefined;
}

/** A key of a profile that Claude Code has never seen: its own question about it is answered once, by a person. */
function asksAboutKey(profile: string, file: string): Refusal {
  return refuse(
    'provider_not_logged_in',
    `Claude Code would ask whether it may use the key of the profile ${profile}: start it once with that key and say yes.`,
    {
      evidence: { file, profile },
      next: [`(. ${shellWord(profile)} && ANTHROPIC_API_KEY="\${ANTHROPIC_API_KEY:-$API_KEY}" claude)`],
    },
  );
}

function refuseUntrusted(
  { agent, environment, folder, trusted }: Inspection,
  state: Fields | undefined,
): Refusal | undefined {
  if (trusted || isTrusted(state, folder)) return undefined;
  return refuse(
    'folder_not_trusted',
    `Claude Code of ${agent} does not trust ${folder} yet: only you can say that it may.`,
    {
      evidence: { agent, folder, file: stateFile(environment) },
      next: [`${LAUNCH} --trust`, `cd ${shellWord(folder)} && claude`],
    },
  );
}
