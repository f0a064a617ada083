import path from 'node:path';
import { readIfThere } from '../../../kernel/index.ts';
import { type Fields, fieldsOf, listOf, parseFields, textOf } from './json.ts';

type Environment = Readonly<Record<string, string>>;

/** Claude Code's config folder. */
export function configurationFolder(environment: Environment): string {
  return environment.CLAUDE_CONFIG_DIR || path.join(environment.HOME ?? '', '.claude');
}

/** The file of its state: beside the folder, unless the folder was chosen. */
export function stateFile(environment: Environment): string {
  return environment.CLAUDE_CONFIG_DIR
    ? path.join(environment.CLAUDE_CONFIG_DIR, '.claude.json')
    : path.join(environment.HOME ?? '', '.claude.json');
}

/** Its state; undefined when there is none, `torn` when it is not JSON. */
export function readState(environment: Environment): Fields | 'torn' | undefined {
  const text = readIfThere(stateFile(environment));
  return text === undefined ? undefined : (parseFields(text) ?? 'torn');
}

/** The user's own settings; undefined when there are none that can be read. */
export function userSettings(config: string): Fields | undefined {
  const text = readIfThere(path.join(config, 'settings.json'));
  return text === undefined ? undefined : parseFields(text);
}

const PROVIDERS = ['CLAUDE_CODE_USE_BEDROCK', 'CLAUDE_CODE_USE_VERTEX', 'CLAUDE_CODE_USE_FOUNDRY'] as const;
const KEYS = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'] as const;

/** Is there a login? `unknown` where one may be kept out of sight, as in the keychain of macOS. */
export function loginOf(
  environment: Environment,
  state: Fields | undefined,
  settings: Fields | undefined,
  platform: NodeJS.Platform = process.platform,
): { readonly login: 'yes' | 'no' | 'unknown'; readonly by: string } {
  const named = [...PROVIDERS, ...KEYS].find((name) => environment[name]);
  if (named !== undefined) return { login: 'yes', by: named };
  if (textOf(settings, 'apiKeyHelper')) return { login: 'yes', by: 'apiKeyHelper' };
  const own = fieldsOf(settings?.env);
  const inSettings = [...PROVIDERS, ...KEYS].find((name) => textOf(own, name));
  if (inSettings !== undefined) return { login: 'yes', by: `${inSettings} in settings.json` };
  if (readIfThere(path.join(configurationFolder(environment), '.credentials.json')) !== undefined) {
    return { login: 'yes', by: '.credentials.json' };
  }
  if (textOf(state, 'primaryApiKey')) return { login: 'yes', by: 'primaryApiKey' };
  if (fieldsOf(state?.oauthAccount)) return { login: platform === 'linux' ? 'unknown' : 'yes', by: 'oauthAccount' };
  return platform === 'linux' ? { login: 'no', by: 'no login was found' } : { login: 'unknown', by: 'the keychain' };
}

/** So many last characters of a key Claude Code remembers with the answer about it. */
const KEY_TAIL = 20;

/** Would Claude Code ask whether it may use the key in the environment, or has it been told not to? */
export function keyAnswer(
  environment: Environment,
  state: Fields | undefined,
): 'approved' | 'rejected' | 'none' | 'no_key' {
  const key = environment.ANTHROPIC_API_KEY;
  if (!key || environment.ANTHROPIC_AUTH_TOKEN || PROVIDERS.some((name) => environment[name])) return 'no_key';
  const answers = fieldsOf(state?.customApiKeyResponses);
  const tail = key.slice(-KEY_TAIL);
  if (listOf(answers, 'approved').includes(tail)) return 'approved';
  return listOf(answers, 'rejected').includes(tail) ? 'rejected' : 'none';
}
