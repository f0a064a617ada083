import path from 'node:path';
import type { CredentialPlan, Credentials, CredentialUse, SmokeCall } from '../../shape.ts';
import { LOGINS, MODELS } from './variables.ts';

/** What an endpoint of the Messages API is asked with. */
const API_VERSION = '2023-06-01';

/**
 * A key of the maker stands in the environment, with the person's own configuration. For another endpoint Claude Code gets a
 * configuration of its own: the person's holds a login, and settings that would win over the environment.
 */
export const credentials: CredentialUse = {
  names: {
    key: {
      official_api: ['API_KEY', 'ANTHROPIC_API_KEY'],
      compatible_api: ['ANTHROPIC_AUTH_TOKEN', 'AUTH_TOKEN', 'API_KEY', 'ANTHROPIC_API_KEY'],
    },
    baseUrl: ['BASE_URL', 'ANTHROPIC_BASE_URL'],
    model: ['MODEL', 'ANTHROPIC_MODEL'],
  },
  plan: (given, folder) =>
    given.mode === 'official_api' ? official(given) : compatible(given, path.join(folder, 'claude')),
  smoke,
};

function official({ mode, file, key, baseUrl }: Credentials): CredentialPlan {
  return {
    mode,
    file,
    environment: baseUrl === undefined ? {} : { ANTHROPIC_BASE_URL: rootOf(baseUrl) },
    secrets: { ANTHROPIC_API_KEY: key },
    unseen: ['ANTHROPIC_API_KEY'],
    without: LOGINS,
    files: [],
    options: [],
    details: {},
  };
}

function compatible({ mode, file, key, baseUrl = '', model }: Credentials, config: string): CredentialPlan {
  return {
    mode,
    file,
    environment: {
      ANTHROPIC_BASE_URL: rootOf(baseUrl),
      // It asks for smaller models by names that only its maker knows.
      ...(model === undefined ? {} : Object.fromEntries(MODELS.map((name) => [name, model]))),
      CLAUDE_CONFIG_DIR: config,
    },
    secrets: { ANTHROPIC_AUTH_TOKEN: key },
    unseen: ['ANTHROPIC_AUTH_TOKEN'],
    without: [...LOGINS, ...MODELS],
    files: [{ path: path.join(config, '.claude.json'), content: `${JSON.stringify(SET_UP)}\n`, keeps: true }],
    options: [],
    details: {},
  };
}

/** A configuration that asks no first questions. It trusts no folder: whether it may is said at each start. */
const SET_UP = { hasCompletedOnboarding: true, theme: 'dark' };

/** Claude Code adds the path of a call itself, also to an endpoint that is written with it. */
function rootOf(baseUrl: string): string {
  return baseUrl.replace(/\/+$/, '').replace(/(?:\/v1)?\/messages$|\/v1$/, '');
}

function smoke({ key, baseUrl = '', apiVersion = API_VERSION }: Credentials, model: string): SmokeCall {
  return {
    url: `${rootOf(baseUrl)}/v1/messages`,
    headers: { authorization: `Bearer ${key}`, 'anthropic-version': apiVersion },
    body: JSON.stringify({ model, max_tokens: 1, messages: [{ role: 'user', content: 'ping' }] }),
  };
}
