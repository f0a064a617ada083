import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

/** The part of the runner's JSON report that counts. */
const Report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

export interface TestCounts {
  readonly passed: number;
  /** One line for each failed test, and for each thing that failed without being a test. */
  readonly failures: readonly string[];
  /** Titles of tests that did not run. */
  readonly skipped: readonly string[];
}

/**
 * Counts a run by its report at `file`; `status` is the runner's exit code. A file that could not be loaded, a run without
 * a test, a missing report and an error outside every test each count as one failure.
 */
export function readReport(file: string, root: string, status: number): TestCounts {
  if (!fs.existsSync(file))
    return { passed: 0, failures: [`the test runner ended with ${status} and no report`], skipped: [] };
  const report = Report.parse(JSON.parse(fs.readFileSync(file, 'utf8')));
  const failures: string[] = [];
  const skipped: string[] = [];
  let passed = 0;
  for (const { name, status: fileStatus, message, assertionResults } of report.testResults) {
    const place = path.relative(root, name);
    const failedBefore = failures.length;
    for (const test of assertionResults) {
      if (test.status === 'passed') passed += 1;
      else if (test.status === 'failed') failures.push(`${place}: ${test.fullName}`);
      else skipped.push(`${place}: ${test.fullName}`);
    }
    if (fileStatus === 'failed' && failures.length === failedBefore) {
      failures.push(`${place}: ${message?.split('\n')[0] || 'could not be run'}`);
    }
  }
  if (passed + failures.length === 0) failures.push('no test ran');
  if (status !== 0 && failures.length === 0)
    failures.push(`the test runner ended with ${status}: an error outside the tests`);
  return { passed, failures, skipped };
}
