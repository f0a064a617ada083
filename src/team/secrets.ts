import type { Problem } from './problems.ts';

/** Credentials by the prefixes that their issuers give them. */
const ISSUED = [
  // sk-learn-style-words are none: an issued one has a capital or a digit.
  /\bsk-(?=[A-Za-z_-]*[A-Z0-9])[A-Za-z0-9_-]{16,}/,
  /\bgh[pousr]_[A-Za-z0-9]{20,}/,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/,
  /\bxox[abprs]-[A-Za-z0-9-]{10,}/,
  /\bAKIA[0-9A-Z]{16}\b/,
  /\bAIza[A-Za-z0-9_-]{30,}/,
  /\bglpat-[A-Za-z0-9_-]{20,}/,
  /\bhf_[A-Za-z0-9]{30,}/,
  /\bnpm_[A-Za-z0-9]{36}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
];
const BEARER = /\bbearer\s+(?<value>[A-Za-z0-9+/=_.-]{16,})/gi;

/** A key that ends in a telling word, and what a value of it may consist of: prose has blanks, a reference has signs. */
const KEY = String.raw`(?:api[_-]?key|token|secret|password|credential)s?["']?\s*`;
const VALUE = String.raw`[^\s"'\x60<>{}$]`;
const BARE = String.raw`[^\s"'\x60<>{}$()[\],;]`;

/** Where a value stands, and how many digits of it make it no word: more of them where prose may go on behind it. */
const ASSIGNED: readonly { readonly pattern: RegExp; readonly digits: number }[] = [
  { pattern: BEARER, digits: 1 },
  // The last of its line, but for a comment.
  { pattern: anywhere(`${KEY}[:=]\\s*["']?(?<value>${VALUE}{8,})["']?\\s*[,;]?\\s*(?:\\s#.*)?$`), digits: 1 },
  // Nobody writes prose behind a key and =, nor in quotes without a blank.
  { pattern: anywhere(`${KEY}=\\s*(?<value>${BARE}{8,})(?=[\\s,;])`), digits: 1 },
  { pattern: anywhere(`${KEY}[:=]\\s*(?<quote>["'])(?<value>${VALUE}{8,})\\k<quote>`), digits: 1 },
  { pattern: anywhere(`${KEY}:\\s*(?<value>[A-Za-z0-9+/=_-]{16,})(?=[\\s,;])`), digits: 4 },
];

function anywhere(pattern: string): RegExp {
  return new RegExp(pattern, 'gi');
}

/** A path or an address in small letters, such as docs/auth/tokens-v2.md: no part of it is long enough to be a key. */
const PLACE = /^(?:[a-z]+:\/\/|~?\/|\.{1,2}\/)?(?:[a-z0-9._-]{1,30}\/)+[a-z0-9._-]{0,30}$/;

/** Does a line hold a credential? Names of variables, placeholders and prose do not count. */
export function looksLikeSecret(line: string): boolean {
  if (ISSUED.some((pattern) => pattern.test(line))) return true;
  return ASSIGNED.some(({ pattern, digits }) =>
    [...line.matchAll(pattern)].some(({ groups }) => isKey(groups?.value ?? '', digits)),
  );
}

function isKey(value: string, digits: number): boolean {
  return !PLACE.test(value) && /[A-Za-z]/.test(value) && (value.match(/[0-9]/g)?.length ?? 0) >= digits;
}

/** So many first characters of a secret are enough to know it by: error messages like to cut the rest. */
const KNOWN_BY = 4;

/** A text in which no credential stands any more: none of the `known` ones, whole or cut, and none that looks like one. */
export function redacted(text: string, known: readonly string[]): string {
  const whole = known
    .filter((secret) => secret !== '')
    .sort((one, other) => other.length - one.length)
    .reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text);
  const beginnings = known.filter(({ length }) => length > 2 * KNOWN_BY).map((secret) => secret.slice(0, KNOWN_BY));
  return whole.replace(WORD, (word) =>
    beginnings.some((beginning) => word.startsWith(beginning)) || looksLikeSecret(word) ? REDACTED : word,
  );
}

const REDACTED = '[REDACTED]';
const WORD = /[^\s"'`<>(){},;:=]+/g;

/** Each line of a document that holds a credential. The value itself is never repeated. */
export function secretProblems(file: string, text: string): Problem[] {
  return text.split('\n').flatMap((line, index) =>
    looksLikeSecret(line.trimEnd())
      ? [
          {
            kind: 'team_document_invalid',
            file,
            line: index + 1,
            key: 'secret',
            message:
              'this line seems to hold a credential, and documents reach models and logs; put it into an environment ' +
              'variable and write its name under env',
          } as const,
        ]
      : [],
  );
}
