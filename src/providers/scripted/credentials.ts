import type { CredentialUse } from '../shape.ts';

/** It calls no model: the key is in its environment, so that a script can show that it came, and nobody else has it. */
export const credentials: CredentialUse = {
  names: { key: { official_api: ['API_KEY'], compatible_api: ['API_KEY'] }, baseUrl: ['BASE_URL'], model: ['MODEL'] },
  plan: ({ mode, file, key, baseUrl }) => ({
    mode,
    file,
    environment: baseUrl === undefined ? {} : { TEAM_AGENT_PROVIDER_BASE_URL: baseUrl },
    secrets: { TEAM_AGENT_PROVIDER_API_KEY: key },
    unseen: [],
    without: ['TEAM_AGENT_PROVIDER_API_KEY', 'TEAM_AGENT_PROVIDER_BASE_URL'],
    files: [],
    options: [],
    details: {},
  }),
};
