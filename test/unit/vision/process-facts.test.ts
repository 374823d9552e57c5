import { describe, expect, test } from 'vitest';
import type { ProviderReport } from '../../../src/vision/contract.ts';
import { ProcessFacts } from '../../../src/vision/process-facts.ts';

const CPU: ProviderReport = {
  ...{ provider: 'cpu', inferenceMs: 20, refused: [], form: 'prepared', formReason: null },
};
const MODEL_FAULT = { code: 'MODEL_INVALID', message: 'no model', remedy: 'install one' };

describe('ProcessFacts', () => {
  test('what runs stays known when the process ends, its memory does not', () => {
    const facts = new ProcessFacts();
    facts.detectorRuns(CPU, ['person']);
    facts.measured(210);
    facts.ended('it exited with code 1');
    expect([facts.provider, facts.labels, facts.rssMb, facts.restarts]).toEqual([
      ...[CPU, ['person'], null, 1],
    ]);
    expect(facts.fault).toMatchObject({
      code: 'VISION_PROCESS_DIED',
      message: 'the vision process ended: it exited with code 1',
    });
  });

  test('what it said last is the fault, until a detector runs again', () => {
    const facts = new ProcessFacts();
    facts.gaveUp(MODEL_FAULT);
    facts.ended('it exited with code 1');
    expect(facts.fault).toEqual(MODEL_FAULT);
    facts.detectorRuns(CPU, []);
    expect(facts.fault).toBeNull();
  });

  test('an end that was asked for is no fault', () => {
    const facts = new ProcessFacts();
    facts.measured(210);
    facts.ended(null);
    expect([facts.fault, facts.restarts, facts.rssMb]).toEqual([null, 0, null]);
  });
});
