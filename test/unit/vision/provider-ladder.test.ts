import { describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/system/clock.ts';
import type { ExecutionProvider } from '../../../src/vision/contract.ts';
import { ProviderBlame } from '../../../src/vision/provider-blame.ts';
import { climbLadder } from '../../../src/vision/provider-ladder.ts';

interface Behaviour {
  ms: number;
  scores: number[];
}

/** Providers that take the given times, or fail with the given text. */
function ladder(behaviours: Partial<Record<ExecutionProvider, Behaviour | string>>) {
  let nowMs = 0;
  const clock: Clock = {
    monotonicMs: () => nowMs,
    wallMs: () => 0,
    setTimeout: () => ({ cancel() {} }),
  };
  const announced: ExecutionProvider[] = [];
  const released: ExecutionProvider[] = [];
  const load = async (provider: ExecutionProvider) => {
    const behaviour = behaviours[provider];
    if (typeof behaviour !== 'object') throw new Error(behaviour ?? 'not there');
    return {
      provider,
      run: async () => {
        nowMs += behaviour.ms;
        return Float32Array.from(behaviour.scores);
      },
      release: async () => {
        released.push(provider);
      },
    };
  };
  const climb = (
    providers: ExecutionProvider[],
    excluded: { provider: ExecutionProvider; reason: string }[] = [],
  ) =>
    climbLadder({
      providers,
      excluded,
      clock,
      load,
      announce: async (provider) => {
        announced.push(provider);
      },
    });
  return { climb, announced, released };
}

describe('climbLadder', () => {
  test('takes the first that is right and faster than the CPU', async () => {
    const { climb, announced, released } = ladder({
      tensorrt: 'OrtSessionOptionsAppend: Failed to load shared library\nmore',
      cuda: { ms: 4, scores: [0.5, 0.1] },
      cpu: { ms: 30, scores: [0.52, 0.1] },
    });
    const result = await climb(['tensorrt', 'cuda', 'cpu']);
    expect(result).toMatchObject({
      provider: 'cuda',
      inferenceMs: 4,
      refused: [
        {
          provider: 'tensorrt',
          reason: 'OrtSessionOptionsAppend: Failed to load shared library',
        },
      ],
    });
    expect(announced).toEqual(['tensorrt', 'cuda']);
    expect(released).toEqual(['cpu']);
  });

  test('refuses one that leaves the work to the CPU', async () => {
    const { climb, released } = ladder({
      cuda: { ms: 31, scores: [0.5] },
      cpu: { ms: 30, scores: [0.5] },
    });
    const result = await climb(['cuda', 'cpu']);
    expect(result.provider).toBe('cpu');
    expect(result.refused).toEqual([
      { provider: 'cuda', reason: 'not faster than the CPU (31.0 ms against 30.0 ms)' },
    ]);
    expect(released).toEqual(['cpu', 'cuda']);
  });

  test.each([
    ['wrong scores', [0.9, 0.1], 'its scores differ from those of the CPU by 0.40'],
    ['no numbers', [Number.NaN, 0.1], 'its scores differ from those of the CPU by NaN'],
  ])('refuses one that computes %s', async (_, scores, reason) => {
    const { climb } = ladder({ cuda: { ms: 4, scores }, cpu: { ms: 30, scores: [0.5, 0.1] } });
    expect((await climb(['cuda', 'cpu'])).refused).toEqual([{ provider: 'cuda', reason }]);
  });

  test('does not try what is excluded, and says why', async () => {
    const { climb, announced } = ladder({ cpu: { ms: 30, scores: [0.5] } });
    const excluded = [{ provider: 'cuda' as const, reason: 'it crashed' }];
    const result = await climb(['cuda', 'cpu'], excluded);
    expect(result.refused).toEqual(excluded);
    expect(announced).toEqual(['cpu']);
  });

  test('fails with all reasons when nothing runs', async () => {
    const { climb } = ladder({ cuda: 'no device', cpu: 'not a model' });
    await expect(climb(['cuda', 'cpu'])).rejects.toMatchObject({
      code: 'VISION_NO_PROVIDER',
      message: expect.stringContaining('cuda: no device; cpu: not a model'),
    });
  });
});

describe('ProviderBlame', () => {
  test('excludes what was being tried when the process ended', () => {
    const blame = new ProviderBlame();
    blame.trying('tensorrt');
    expect(blame.died('it was ended by SIGSEGV', 0)).toBe('tensorrt');
    expect(blame.excluded).toEqual([
      {
        provider: 'tensorrt',
        reason: 'the vision process ended while trying it: it was ended by SIGSEGV',
      },
    ]);
  });

  test('excludes what keeps ending while it runs', () => {
    const blame = new ProviderBlame();
    const deaths = [1, 2, 3].map((nowMs) => {
      blame.trying('cuda');
      blame.settled('cuda', nowMs);
      return blame.died('killed', nowMs + 1);
    });
    expect(deaths).toEqual([null, null, 'cuda']);
  });

  test('forgives ends that are far apart', () => {
    const blame = new ProviderBlame();
    for (let hour = 0; hour < 10; hour++) {
      blame.settled('cuda', hour * 3_600_000);
      expect(blame.died('killed', hour * 3_600_000 + 600_000)).toBeNull();
    }
  });

  test('never blames the CPU', () => {
    const blame = new ProviderBlame();
    blame.trying('cpu');
    expect(blame.died('killed', 0)).toBeNull();
    blame.settled('cpu', 0);
    for (let death = 0; death < 5; death++) expect(blame.died('killed', 1)).toBeNull();
    expect(blame.excluded).toEqual([]);
  });
});
