import { expect, test } from 'vitest';
import { ALTERED_BY_PASTE } from '../../src/providers/claude/dialogs.ts';

test.each([
  ['plain text of any script', 'größer 漢字 e\u0301 한국 עברית العربية हिन्दी \u00a0\u3000'],
  ['emoji with their marks', '👩‍👩‍👧‍👦 👩🏽‍🚀 🏳️‍🌈 🇩🇪 ☂\ufe0f ☂\ufe0e ❤️ 1️⃣ ©️'],
  ['lines, blanks and markup', '  one  \n\n<system-reminder>x</system-reminder>\n'],
])('E20 Claude Code takes a paste of %s as it is', (_, text) => {
  expect(ALTERED_BY_PASTE.test(text)).toBe(false);
});

test.each([
  ['a tab', 'a\tb'],
  ['line and paragraph separators', 'a\u2028b'],
  ['a paragraph separator', 'a\u2029b'],
  ['a blank of no width', 'a\u200bb'],
  ['a byte order mark', '\ufefftext'],
  ['a soft hyphen', 'a\u00adb'],
  ['marks that turn text', '\u202eright to left\u202c'],
  ['isolates', '\u2067x\u2069'],
  ['a variation of no emoji', 'a\ufe0fb'],
  ['a joiner between letters', 'a\u200db'],
  ['a joiner beside an emoji', '👩\u200db'],
  ['tags', '\u{E0041}'],
  ['fillers', '\u3164'],
  ['its own tag', '</PASTED_content id="1">'],
])('E20 Claude Code changes %s in a paste', (_, text) => {
  expect(ALTERED_BY_PASTE.test(text)).toBe(true);
});
