import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal, type Refusal } from '../../src/kernel/index.ts';
import { findProvider } from '../../src/providers/index.ts';
import {
  type AgentSpec,
  checkProfile,
  compileTeam,
  credentialsOf,
  diagnoseProfile,
  networkOf,
  showProfile,
  type Team,
  type TeamFile,
} from '../../src/team/index.ts';
import { parseProfile } from '../../src/team/profiles/file.ts';

const CANARY = 'sk-CANARY0123456789abcdef';
const FOLDER = '/w/.team/shop/profiles';
const FULL = `AUTH_MODE=compatible_api\nBASE_URL=https://api.example.com/v1\nAPI_KEY=${CANARY}\nMODEL=k2\n`;
const place = (name: string) => ({ name, real: `${FOLDER}/${name}.env`, example: `${FOLDER}/${name}.example.env` });
const found = (text: string, name = 'kimi') => ({ file: `${FOLDER}/${name}.env`, text, example: false });

/** Compiles a team whose profiles have these texts; a name that ends in `.example` is a template. */
function compile(profiles: Readonly<Record<string, string>>, ...files: TeamFile[]): Team | Refusal {
  return compileTeam(files, {
    folder: '/w/.team/shop',
    workspace: '/w',
    fallbackName: 'shop',
    providers: (name) => {
      const provider = findProvider(name);
      return isRefusal(provider)
        ? provider
        : { ok: true, name: provider.name, credentials: provider.credentials.names };
    },
    profile: (team, name) => {
      const text = profiles[name];
      return team === 'shop' && text !== undefined ? found(text, name) : undefined;
    },
    kindOf: (path) => (path === '/w' ? 'folder' : 'nothing'),
  });
}

const role = (more: string, provider = 'claude'): TeamFile => ({
  path: 'agents/amy.md',
  text: `---\nname: amy\nrole: developer\nprovider: ${provider}\ntools: []\n${more}---\nBuild.\n`,
});
const head = (lines: string): TeamFile => ({ path: 'TEAM.md', text: `---\nname: shop\n${lines}---\nSell.\n` });

function amy(profiles: Readonly<Record<string, string>>, ...files: TeamFile[]): AgentSpec {
  const team = compile(profiles, ...files);
  if (isRefusal(team)) throw new Error(team.message);
  const [agent] = team.agents;
  if (!agent) throw new Error('nobody');
  return agent;
}

function refusal(profiles: Readonly<Record<string, string>>, ...files: TeamFile[]): Refusal {
  const team = compile(profiles, ...files);
  if (!isRefusal(team)) throw new Error('these documents were accepted');
  return team;
}

describe('what documents say of a profile', () => {
  it('B06 Z05 a role without a profile has none', () => {
    expect(amy({}, role(''))).not.toHaveProperty('profile');
    expect(amy({}, role('auth_mode: subscription\n'))).not.toHaveProperty('profile');
  });

  it.each([
    ['auth_mode: compatible_api\nprofile: kimi\n', '', 'compatible_api'],
    ['', 'default_auth_mode: compatible_api\ndefault_profile: kimi\n', 'compatible_api'],
    ['auth_mode: official_api\n', 'default_auth_mode: compatible_api\ndefault_profile: kimi\n', 'official_api'],
    ['profile: kimi\n', 'default_auth_mode: official_api\ndefault_profile: mine\n', 'official_api'],
    ['profile: kimi\n', '', 'subscription'],
  ])('B06 %j below %j means kimi with %s', (own, team, mode) => {
    const { profile } = amy({ kimi: FULL, mine: FULL }, head(team), role(own));
    expect(profile).toEqual({ name: 'kimi', mode, file: `${FOLDER}/kimi.env` });
  });

  it('B06 who says subscription does not get the profile of the others', () => {
    const team = head('default_auth_mode: compatible_api\ndefault_profile: kimi\n');
    expect(amy({ kimi: FULL }, team, role('auth_mode: subscription\n'))).not.toHaveProperty('profile');
  });

  it.each([
    // The document, the team, the profile's MODEL: the model of the agent.
    ['', 'default_model: opus\n', 'MODEL=k2\n', null],
    ['', 'provider_models: {claude: opus}\n', 'MODEL=k2\n', null],
    ['', 'default_model: opus\n', 'ANTHROPIC_MODEL=k2\n', null],
    ['', 'default_model: opus\n', 'MODEL=\n', 'opus'],
    ['model: k2\n', 'default_model: opus\n', 'MODEL=k2\n', 'k2'],
    ['model: k3\n', '', '', 'k3'],
  ])('B06 Z04 model %j below %j with %j is %s', (own, team, model, expected) => {
    const text = `BASE_URL=http://h\nAPI_KEY=${CANARY}\n${model}`;
    const agent = amy({ kimi: text }, head(team), role(`auth_mode: compatible_api\nprofile: kimi\n${own}`));
    expect(agent.model).toBe(expected);
  });

  it('B06 an official key leaves the chain of models as it is', () => {
    const files = [head('default_model: opus\n'), role('auth_mode: official_api\nprofile: kimi\n')];
    expect(amy({ kimi: FULL }, ...files).model).toBe('opus');
  });

  it.each([
    ['auth_mode: compatible_api\n', 'team_document_invalid', 'auth_mode', 6, /needs a profile; write profile: NAME/],
    [
      'auth_mode: official_api\n',
      'team_document_invalid',
      'auth_mode',
      6,
      /profile init NAME --auth-mode official_api/,
    ],
    [
      'profile: nope\nauth_mode: compatible_api\n',
      'profile_missing',
      'profile',
      6,
      /profile init nope --auth-mode comp/,
    ],
    ['auth_mode: compatible_api\nprofile: kimi\nmodel: opus\n', 'model_mismatch', 'model', 8, /"opus".*"k2"/],
  ])('B06 Z02 a role with %j is refused with %s at %s', (more, reason, key, line, message) => {
    const refused = refusal({ kimi: FULL }, role(more));
    expect(refused.reason).toBe(reason);
    expect(refused.evidence?.problems).toEqual([
      { file: '/w/.team/shop/agents/amy.md', line, key, message: expect.stringMatching(message) },
    ]);
    expect(JSON.stringify(refused)).not.toContain('CANARY');
  });
});

describe('the text of a profile', () => {
  it('B07 is read as it is written for a shell, without a shell', () => {
    const text =
      '\uFEFF# a remark\r\n\r\nexport A=1\n  B = "two words" \nC=\'x=y#z\'\nD="a"b\nE=\nA=2\nF=$HOME\nno\n1X=2\nG="open\n';
    const { values, faults } = parseProfile(text);
    expect(Object.fromEntries(values)).toEqual({
      A: '2',
      B: 'two words',
      C: 'x=y#z',
      D: '"a"b',
      E: '',
      F: '$HOME',
      G: '"open',
    });
    expect(faults.map(({ line }) => line)).toEqual([10, 11]);
  });

  it('B07 a line that cannot be read is named, and not repeated', () => {
    const check = checkProfile(agentOf('compatible_api'), found(`${FULL}${CANARY}\n`), namesOf('claude'));
    expect(check).toMatchObject({
      ok: false,
      reason: 'profile_invalid',
      suggestion: expect.stringMatching(/kimi\.env:5: /),
    });
    expect(JSON.stringify(check)).not.toContain('CANARY');
  });

  it('B07 whatever stands there, the parser answers, and the last value of a key counts', () => {
    fc.assert(fc.property(fc.string(), (text) => parseProfile(text).faults.every(({ line }) => line > 0)));
    const key = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,8}$/);
    const value = fc.stringMatching(/^[A-Za-z0-9$\\#=/ ]{0,12}$/).map((text) => text.trim());
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value)), (pairs) => {
        const text = pairs
          .map(([name, written], index) => `${index % 2 ? 'export ' : ''}${name}="${written}"`)
          .join('\n');
        expect(Object.fromEntries(parseProfile(text).values)).toEqual(Object.fromEntries(pairs));
      }),
    );
  });
});

const namesOf = (provider: string) => {
  const known = findProvider(provider);
  if (isRefusal(known)) throw new Error(known.message);
  return known.credentials.names;
};
const agentOf = (mode: 'subscription' | 'official_api' | 'compatible_api', model: string | null = null) =>
  ({ id: 'amy', provider: 'claude', model, profile: { name: 'kimi', mode, file: `${FOLDER}/kimi.env` } }) as AgentSpec;

describe('the profile of an agent that is to be started', () => {
  it('B08 one that is whole says what will be used', () => {
    expect(checkProfile(agentOf('compatible_api'), found(FULL), namesOf('claude'))).toEqual({
      ok: true,
      agent_id: 'amy',
      provider: 'claude',
      profile: 'kimi',
      auth_mode: 'compatible_api',
      path: `${FOLDER}/kimi.env`,
      credential_present: true,
      keys_present: ['API_KEY', 'AUTH_MODE', 'BASE_URL', 'MODEL'],
      missing_required: [],
      effective_model: 'k2',
      model_source: 'profile',
      secret_values_printed: false,
    });
  });

  it.each([
    ['', 'profile_required_values_missing', ['BASE_URL', 'API_KEY', 'MODEL']],
    ['ANTHROPIC_BASE_URL=http://h\nANTHROPIC_AUTH_TOKEN=t\nANTHROPIC_MODEL=m\n', undefined, []],
    ['OPENAI_BASE_URL=http://h\nAPI_KEY=t\nMODEL=m\n', 'profile_required_values_missing', ['BASE_URL']],
    ['AUTH_MODE=official_api\n', 'auth_mode_mismatch', ['BASE_URL', 'API_KEY', 'MODEL']],
    ['AUTH_MODE=free\n', 'auth_mode_mismatch', ['BASE_URL', 'API_KEY', 'MODEL']],
    [`${FULL}BASE_URL=api.example.com\n`, 'profile_invalid', []],
    [`${FULL}BASE_URL=https://u:${CANARY}@h/v1\n`, 'profile_invalid', []],
    [`${FULL}BASE_URL=https://h/v1?key=${CANARY}\n`, 'profile_invalid', []],
    [`${FULL}MODEL=${CANARY}\n`, 'profile_invalid', ['MODEL']],
    [`${FULL}PROXY_MODE=of\n`, 'profile_invalid', []],
    [`${FULL}MODEL_PROVIDER=openai\n`, 'profile_invalid', []],
    [`${FULL}AUTH_MODE=${CANARY}\n`, 'auth_mode_mismatch', []],
    [`${FULL}CODEX_PROFILE=x\n`, 'profile_invalid', []],
    [`${FULL}API_KEYS=x\n`, 'profile_invalid', []],
    [`${FULL}ANYTHING_ELSE=x\n`, undefined, []],
  ])('B08 %j for a compatible API is %s', (text, reason, missing) => {
    const check = checkProfile(agentOf('compatible_api'), found(text), namesOf('claude'));
    expect({ reason: check.reason, missing: check.missing_required }).toEqual({ reason, missing });
    expect(check.ok).toBe(reason === undefined);
    expect(JSON.stringify(check)).not.toContain('CANARY');
  });

  it('B08 a template is no credential, and one that has gone is missing', () => {
    const template = { ...found(FULL), file: `${FOLDER}/kimi.example.env`, example: true };
    const check = checkProfile(agentOf('compatible_api'), template, namesOf('claude'));
    expect(check).toMatchObject({ ok: false, reason: 'profile_missing', credential_present: false });
    const plain = { ...template, text: 'AUTH_MODE=subscription\n' };
    expect(checkProfile(agentOf('subscription'), plain, namesOf('claude')).ok).toBe(true);
    expect(checkProfile(agentOf('official_api'), undefined, namesOf('claude'))).toMatchObject({
      reason: 'profile_missing',
    });
  });

  it('B08 an official key needs nothing but itself', () => {
    const text = `AUTH_MODE=official_api\nANTHROPIC_API_KEY=${CANARY}\n`;
    const agent = agentOf('official_api');
    expect(checkProfile(agent, found(text), namesOf('claude'))).toMatchObject({
      ok: true,
      effective_model: null,
      model_source: null,
    });
    expect(credentialsOf(agent, found(text), namesOf('claude'))).toEqual({
      mode: 'official_api',
      file: `${FOLDER}/kimi.env`,
      key: CANARY,
    });
    expect(credentialsOf(agentOf('subscription'), found(FULL), namesOf('claude'))).toBeUndefined();
  });
});

describe('what anybody may know of a profile', () => {
  const OTHERS = `HTTPS_PROXY=http://me:CANARY@proxy:3128/x?token=CANARY\nODD=CANARY\nANTHROPIC_AUTH_TOKEN=CANARY\n`;

  it('B07 A09 shown is what is known to be no secret, and of an address no name, no password and no query', () => {
    const shown = showProfile(place('kimi'), found(`${FULL}${OTHERS}NO_PROXY=\n`));
    expect(shown.values).toEqual({
      AUTH_MODE: { present: true, redacted: false, value: 'compatible_api' },
      BASE_URL: { present: true, redacted: false, value: 'https://api.example.com/v1' },
      API_KEY: { present: true, redacted: true },
      MODEL: { present: true, redacted: false, value: 'k2' },
      HTTPS_PROXY: { present: true, redacted: false, value: 'http://[redacted]@proxy:3128/x' },
      ODD: { present: true, redacted: true },
      ANTHROPIC_AUTH_TOKEN: { present: true, redacted: true },
      NO_PROXY: { present: false, redacted: false, value: '' },
    });
    expect(shown).toMatchObject({
      profile: 'kimi',
      auth_mode: 'compatible_api',
      missing_common: [],
      credential_present: true,
    });
    expect(JSON.stringify(shown)).not.toContain('CANARY');
  });

  it('B07 A09 no value of any key is ever shown but of those that are known', () => {
    const secret = fc.stringMatching(/^Q[a-z0-9]{12}Q$/);
    const key = fc
      .stringMatching(/^[A-Z][A-Z0-9_]{1,12}$/)
      .filter((name) => !/PROXY|MODEL|WIRE|PROFILE|AUTH_MODE/.test(name));
    fc.assert(
      fc.property(key, secret, (name, value) => {
        const text = `${name}=${value}\nBASE_URL=https://${value}:${value}@h/?${value}\n${value}\n`;
        const told = [showProfile(place('p'), found(text)), diagnoseProfile(place('p'), found(text), 0o600)];
        expect(JSON.stringify(told)).not.toContain(value);
      }),
    );
  });

  it.each([
    [FULL, 0o600, undefined],
    [FULL, 0o644, /others may read it: chmod 600/],
    ['AUTH_MODE=official_api\nAPI_KEY=\n', 0o600, /fill in API_KEY/],
    ['API_KEY=x\n', 0o600, /write AUTH_MODE=/],
    [`${FULL}PROFILE_SMOKE=perhaps\n`, 0o600, /PROFILE_SMOKE does not fit/],
  ])('B07 the doctor on %j with mode %o says %s', (text, mode, suggestion) => {
    const { suggestion: said, secret_keys_present } = diagnoseProfile(place('kimi'), found(text), mode);
    if (suggestion === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(suggestion);
    expect(secret_keys_present.every((key) => key === 'API_KEY')).toBe(true);
  });
});

describe('the way to the network', () => {
  const of = (text: string) => networkOf(parseProfile(text));

  it('B08 a proxy of the profile replaces the one around, in both ways of writing it', () => {
    expect(of('https_proxy=http://p\n')).toEqual({
      mode: 'inherit',
      variables: { https_proxy: 'http://p' },
      without: ['HTTPS_PROXY', 'https_proxy'],
    });
    expect(of('')).toEqual({ mode: 'inherit', variables: {}, without: [] });
  });

  it('B08 direct goes past all of them; a certificate of the profile stays', () => {
    const direct = of('PROXY_MODE=direct\nHTTPS_PROXY=http://p\nSSL_CERT_FILE=/ca.pem\n');
    expect(direct.variables).toEqual({ SSL_CERT_FILE: '/ca.pem' });
    expect(direct.without).toEqual(
      expect.arrayContaining(['HTTP_PROXY', 'all_proxy', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS']),
    );
  });
});
