import type { Reporter, TestModule } from 'vitest/node';

/** Ends the output with the line that CI reads: `N passed, N failed`, and `, N skipped` where any were. */
export default class PlainReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    // Checks that ran before the tests (scripts/test).
    const failed = Number(process.env.APEX_FAILED_CHECKS ?? 0);
    const count = { passed: 0, failed, skipped: 0 };
    for (const module of modules) {
      // A file that fails to load has no tests to count, and must not look like success.
      if (module.state() === 'failed' && [...module.children.allTests()].length === 0)
        count.failed++;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        count[state === 'passed' || state === 'failed' ? state : 'skipped']++;
      }
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
    console.log(`${count.passed} passed, ${count.failed} failed${skipped}`);
  }
}
