import { afterEach, describe, expect, test } from 'vitest';
import { isRefusal } from '../../src/kernel/index.ts';
import { providerConformance } from '../../src/providers/conformance.ts';
import { findProvider, providerNames } from '../../src/providers/index.ts';
import { Launcher, scriptedHarness } from './scripted-harness.ts';

const launcher = new Launcher();
afterEach(() => launcher.endAll());

describe('N08 the scripted provider passes the conformance suite of providers', () => {
  for (const check of providerConformance(scriptedHarness(launcher))) {
    test(check.name, { timeout: 30_000 }, () => check.run());
  }
});

describe('the registry of providers', () => {
  test('finds a provider by name and by alias', () => {
    const found = findProvider('fake');
    expect(isRefusal(found) ? found.reason : found.name).toBe('scripted');
    expect(providerNames()).toContain('scripted');
  });

  test('refuses a name that nobody has, and tells the names there are', () => {
    const refused = findProvider('nobody');
    expect(refused).toMatchObject({ ok: false, reason: 'unknown_provider', evidence: { known: providerNames() } });
  });
});
