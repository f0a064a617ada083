import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { looksLikeSecret, redacted, secretProblems } from '../../src/team/secrets.ts';

const letters = 'abcdefghijklmnopqrstuvwxyz';
const word = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 14 });
const segment = fc.string({ unit: fc.constantFrom(...letters, ...'0123456789_-'), minLength: 1, maxLength: 24 });
const random = (length: number) =>
  fc
    .string({
      unit: fc.constantFrom(...letters, ...letters.toUpperCase(), ...'0123456789'),
      minLength: length,
      maxLength: 60,
    })
    .filter((text) => /\d/.test(text) && /[a-zA-Z]/.test(text));
const telling = fc.constantFrom(
  'token',
  'api_key',
  'API-KEY',
  'apikey',
  'password',
  'client_secret',
  'Credential',
  'secrets',
);
const between = fc.constantFrom(': ', '=', ' = ', ': "', "='");

const passes = (line: fc.Arbitrary<string>): void =>
  fc.assert(fc.property(line, (text) => void expect(looksLikeSecret(text), text).toBe(false)));
const found = (line: fc.Arbitrary<string>): void =>
  fc.assert(fc.property(line, (text) => void expect(looksLikeSecret(text), text).toBe(true)));

describe('what is no credential', () => {
  const path = fc
    .tuple(
      fc.constantFrom('', './', '../', '/', '~/', 'https://'),
      fc.array(segment, { minLength: 3, maxLength: 8 }),
      word,
    )
    .map(([start, parts, ending]) => `${start}${parts.join('/')}.${ending}`);

  it('B05 Z03 paths and addresses of any length, alone, in a sentence, and behind a telling word', () => {
    passes(path);
    passes(fc.tuple(word, path, word).map((parts) => parts.join(' ')));
    passes(fc.tuple(telling, fc.constantFrom(': ', '='), path).map((parts) => parts.join('')));
  });

  it('B05 Z03 rulers of any sign and length', () => {
    passes(
      fc
        .tuple(fc.constantFrom(...'-=_*#~+.'), fc.integer({ min: 1, max: 200 }))
        .map(([sign, count]) => sign.repeat(count)),
    );
  });

  it('B05 Z03 prose about tokens and passwords', () => {
    const prose = fc.array(word, { minLength: 2, maxLength: 12 }).map((words) => words.join(' '));
    passes(fc.tuple(telling, fc.constantFrom(': ', ' = ', ' '), prose).map((parts) => parts.join('')));
    passes(fc.tuple(prose, telling, prose).map((parts) => parts.join(' ')));
    const named = fc.tuple(word, fc.constantFrom('2', '42', '256'), word).map((parts) => parts.join(''));
    passes(
      fc
        .tuple(telling, fc.constantFrom(': ', ' '), named, prose)
        .map(([key, mark, ...rest]) => `${key}${mark}${rest.join(' ')}`),
    );
    passes(fc.tuple(telling, between, path, fc.constantFrom(' # ', ' ', ', '), prose).map((parts) => parts.join('')));
    passes(
      fc
        .tuple(telling, fc.constantFrom('=$', ': $', ' = <', ': ${'), word, prose)
        .map(([key, mark, name, rest]) => `${key}${mark}${name} ${rest}`),
    );
    passes(
      fc
        .tuple(prose, telling, fc.constantFrom('=get', ' = read'), word)
        .map(([before, key, call, name]) => `${before} ${key}${call}${name}2(${name})`)
        .map((line) => `${line} and so on`),
    );
  });

  it('B05 Z03 words joined by dashes, hashes, ids and names of variables', () => {
    passes(fc.array(word, { minLength: 2, maxLength: 8 }).map((words) => `sk-${words.join('-')}`));
    passes(fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 7, maxLength: 64 }));
    passes(fc.uuid());
    passes(
      fc
        .tuple(telling, fc.constantFrom('=$', ': $', '=<', ': ${'), word)
        .map(([key, mark, name]) => `${key}${mark}${name}`),
    );
  });
});

describe('what is a credential', () => {
  it('B05 an assigned value that is one word with letters and digits', () => {
    found(
      fc
        .tuple(telling, between, random(12))
        .map(([key, mark, value]) => `${key}${mark}${value}${/["']$/.test(mark) ? mark.at(-1) : ''}`),
    );
    found(random(16).map((value) => `Authorization: Bearer ${value}`));
  });

  it('B05 an assigned value, whatever follows it', () => {
    const value = random(20).filter((text) => (text.match(/\d/g) ?? []).length >= 4);
    const after = fc.constantFrom(' # prod', ' for all calls', ', "url": "x"}', '; then go on', ', and more');
    const before = fc.constantFrom('', '{"', 'export ', 'with ', '- ');
    const written = fc.constantFrom<(key: string, value: string) => string>(
      (key, text) => `${key}=${text}`,
      (key, text) => `${key}: ${text}`,
      (key, text) => `${key}": "${text}"`,
      (key, text) => `${key} = '${text}'`,
    );
    found(
      fc
        .tuple(before, telling, written, value, after)
        .map(([start, key, write, text, end]) => `${start}${write(key, text)}${end}`),
    );
    for (const line of [
      'API_KEY=9f8e7d6c5b4a39281706 # prod',
      'api_key: 9f8e7d6c5b4a39281706 for all calls',
      '{"api_key": "9f8e7d6c5b4a39281706", "url": "x"}',
      'token: none, password=hunter2hunter2 for staging',
    ])
      expect(looksLikeSecret(line), line).toBe(true);
  });

  it('B05 an issued key wherever it stands', () => {
    const prefix = fc.constantFrom('sk-', 'sk-ant-api03-', 'sk-proj-', 'ghp_', 'github_pat_', 'glpat-');
    const around = fc.constantFrom<[string, string]>(
      ['', ''],
      ['use ', ' for it'],
      ['"', '",'],
      ['(', ')'],
      ['- ', ''],
    );
    found(
      fc
        .tuple(prefix, random(24), around)
        .map(([issuer, value, [before, after]]) => `${before}${issuer}${value}${after}`),
    );
  });

  it('B05 is told by its line, and never repeated', () => {
    fc.assert(
      fc.property(fc.array(word), random(20), (before, value) => {
        const problems = secretProblems('agents/amy.md', [...before, `api_key: ${value}`].join('\n'));
        expect(problems.map(({ line }) => line)).toEqual([before.length + 1]);
        expect(JSON.stringify(problems)).not.toContain(value);
      }),
    );
  });
});

describe('a text without its credentials', () => {
  it('A09 no known secret is left, whole, cut or joined, and everything else stays as it was', () => {
    const prose = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => `${words.join('  ')}\n\t`);
    const secret = random(20).map((text) => `Q9${text}`);
    fc.assert(
      fc.property(prose, secret, fc.integer({ min: 8, max: 20 }), (text, value, cut) => {
        const told = redacted(`${text}"${value}", ${value.slice(0, cut)}*** x${value}y${text}`, [value]);
        expect(told).not.toContain(value.slice(0, 8));
        expect(told.startsWith(text) && told.endsWith(text)).toBe(true);
        expect(redacted(text, [value])).toBe(text);
      }),
    );
  });
});
