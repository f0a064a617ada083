import type { CredentialPlan, Credentials, CredentialUse, SmokeCall } from '../../shape.ts';
import { options, toml } from './overrides.ts';

/** The variable in which Codex finds the key of a profile. */
const KEY = 'TEAM_AGENT_PROVIDER_API_KEY';

/** Another login or endpoint of the person's. */
const LOGINS = ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'CODEX_API_KEY', 'CODEX_ACCESS_TOKEN'];

/** Where the maker has its API. */
const OFFICIAL = 'https://api.openai.com/v1';

/** The ids of model providers that a profile does not name. Two profiles may have the same: whoever starts the agent tells them apart. */
const PROVIDERS = { official_api: 'team_agent_official', compatible_api: 'team_agent' } as const;

/**
 * A model provider beside those of the person's configuration, which has no say in it then: for the maker's own API too, since
 * Codex reads no key for that from its environment.
 */
export const credentials: CredentialUse = {
  names: {
    key: {
      official_api: ['API_KEY', 'OPENAI_API_KEY'],
      compatible_api: ['API_KEY', 'OPENAI_API_KEY', 'AUTH_TOKEN'],
    },
    baseUrl: ['BASE_URL', 'OPENAI_BASE_URL'],
    model: ['MODEL'],
  },
  plan,
  smoke,
};

function plan(given: Credentials): CredentialPlan {
  const { mode, file, key, modelProvider: id = PROVIDERS[mode], providerName = id, wireApi = 'responses' } = given;
  const url = endpointOf(given);
  return {
    mode,
    file,
    environment: { OPENAI_BASE_URL: url },
    secrets: { [KEY]: key, OPENAI_API_KEY: key },
    unseen: [KEY, 'OPENAI_API_KEY'],
    without: LOGINS,
    files: [],
    options: options([
      `model_provider=${toml(id)}`,
      `model_providers.${id}={name=${toml(providerName)},base_url=${toml(url)},env_key=${toml(KEY)},wire_api=${toml(wireApi)}}`,
    ]),
    details: { modelProvider: id },
  };
}

function endpointOf({ baseUrl = OFFICIAL }: Credentials): string {
  return baseUrl.replace(/\/+$/, '').replace(/\/(?:responses|chat\/completions)$/, '');
}

/** Of the protocol that Codex will speak. */
function smoke(given: Credentials, model: string): SmokeCall {
  const chat = given.wireApi === 'chat';
  const asked = chat
    ? { model, max_tokens: 1, messages: [{ role: 'user', content: 'ping' }] }
    : { model, max_output_tokens: 16, store: false, input: [{ role: 'user', content: 'ping' }] };
  return {
    url: `${endpointOf(given)}/${chat ? 'chat/completions' : 'responses'}`,
    headers: { authorization: `Bearer ${given.key}` },
    body: JSON.stringify(asked),
  };
}
