/** Whose credential an agent uses: the login of its own CLI, a key of its maker's API, or another endpoint with the same API. */
export const AUTH_MODES = ['subscription', 'official_api', 'compatible_api'] as const;
export type AuthMode = (typeof AUTH_MODES)[number];

/** A credential that stands in for the login of a CLI. It holds secrets: never in an argv, an event or an output. */
export interface Credentials {
  readonly mode: Exclude<AuthMode, 'subscription'>;
  /** Absolute path of the profile that it stands in. */
  readonly file: string;
  readonly key: string;
  /** Absent: where the CLI's maker has it. Without the path of a single call. */
  readonly baseUrl?: string;
  readonly model?: string;
  /** The id, the name and the protocol of a model provider of Codex. */
  readonly modelProvider?: string;
  readonly providerName?: string;
  readonly wireApi?: string;
  /** Value of a header that names the version of the API. */
  readonly apiVersion?: string;
}

/** A file with mode 0600 that a launch writes before its process starts. */
export interface PlannedFile {
  readonly path: string;
  readonly content: string;
  /** True of a file that belongs to its CLI from then on: one that is there stays as it is. */
  readonly keeps?: true;
}

/** What a credential means for one CLI. */
export interface CredentialPlan {
  readonly mode: Credentials['mode'];
  readonly file: string;
  /** Variables that its process gets, none of them secret. */
  readonly environment: Readonly<Record<string, string>>;
  /** Variables that its process gets through a 0600 file that its wrapper reads and removes. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Those of them that the shells of its model do not get: a key that is printed there stands in the conversation. */
  readonly unseen: readonly string[];
  /** Variables of whoever starts it that it does not get: another login, endpoint or model. */
  readonly without: readonly string[];
  /** Files of a configuration of its own. */
  readonly files: readonly PlannedFile[];
  /** What its argv says of it. */
  readonly options: readonly string[];
  /** What a life remembers of it, in `Installation.details`. Never a secret. */
  readonly details: Readonly<Record<string, string>>;
}

/** One cheap call that shows whether an endpoint takes a credential. */
export interface SmokeCall {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

/** How a CLI uses a credential of a profile. */
export interface CredentialUse {
  /** Pure. `folder` is the agent's own, which stays when a life ends. */
  plan(credentials: Credentials, folder: string): CredentialPlan;
  /** The call that its CLI would make, as small as it can be; absent: there is nothing to call. */
  smoke?(credentials: Credentials, model: string): SmokeCall;
  /** Names of values that this CLI's credentials may have, beside `API_KEY`, `BASE_URL` and `MODEL`: the first that is there counts. */
  readonly names: CredentialNames;
}

/** How values may be called in a profile, by what they are: of those that are there, the first counts. */
export interface CredentialNames {
  readonly key: Readonly<Record<Credentials['mode'], readonly string[]>>;
  readonly baseUrl: readonly string[];
  readonly model: readonly string[];
}
