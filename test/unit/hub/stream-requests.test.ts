import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CameraDirectory } from '../../../src/hub/streams/camera-directory.ts';
import { KeptAnswers } from '../../../src/hub/streams/kept-answers.ts';
import {
  type RequestEffect,
  type RequestEvent,
  type RequestState,
  requestStep,
  type StreamAnswer,
  UNKNOWN_REQUEST,
} from '../../../src/hub/streams/request-state.ts';

const answers = fc.oneof(
  fc.constant<StreamAnswer>({ isDone: true }),
  fc.string().map((message) => ({ isDone: false, code: 'c', message, isRetryable: true }) as const),
);
const obstacle = { isDone: false, code: 'edge_offline', message: 'o', isRetryable: true } as const;
const events: fc.Arbitrary<RequestEvent> = fc.oneof(
  fc.record({
    name: fc.constant('asked' as const),
    content: fc.constantFrom('a', 'b'),
    obstacle: fc.constantFrom(null, obstacle),
  }),
  fc.record({ name: fc.constant('answered' as const), answer: answers }),
);

type Asked = Extract<RequestEvent, { name: 'asked' }>;

/** What a request has come to, told from its effects alone. */
class Told {
  content: string | null = null;
  answer: StreamAnswer | null = null;

  expected(event: RequestEvent): object {
    if (event.name === 'asked') return this.#expectedOfAsked(event);
    const isFirst = this.content !== null && this.answer === null;
    return isFirst ? { do: 'answer_all', answer: event.answer } : { do: 'nothing' };
  }

  #expectedOfAsked({ content, obstacle: why }: Asked): object {
    if (this.content === null)
      return why === null ? { do: 'order' } : { do: 'answer', answer: why };
    if (content !== this.content) return { do: 'answer', answer: { code: 'request_conflict' } };
    return this.answer === null ? { do: 'wait' } : { do: 'answer', answer: this.answer };
  }

  note(event: RequestEvent, effect: RequestEffect): void {
    if (effect.do === 'order') this.content = (event as Asked).content;
    if (effect.do === 'answer_all') this.answer = effect.answer;
  }
}

test('a stream request is ordered once, and whoever asks gets the first answer', () => {
  fc.assert(
    fc.property(fc.array(events, { maxLength: 30 }), (steps) => {
      const told = new Told();
      let state: RequestState = UNKNOWN_REQUEST;
      for (const event of steps) {
        const step = requestStep(state, event);
        expect(step.effect).toMatchObject(told.expected(event));
        told.note(event, step.effect);
        state = step.state;
      }
    }),
  );
});

const EDGES = ['e1', 'e2', 'e3'];
const CAMERAS = ['a', 'b', 'c'];
type Move =
  | { move: 'announce'; edge: string; cameras: string[] }
  | { move: 'observe'; edge: string; camera: string }
  | { move: 'join' | 'leave'; edge: string };
const moves: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    move: fc.constant('announce' as const),
    edge: fc.constantFrom(...EDGES),
    cameras: fc.subarray(CAMERAS),
  }),
  fc.record({
    move: fc.constant('observe' as const),
    edge: fc.constantFrom(...EDGES),
    camera: fc.constantFrom(...CAMERAS),
  }),
  fc.record({
    move: fc.constantFrom('join' as const, 'leave' as const),
    edge: fc.constantFrom(...EDGES),
  }),
);

function apply(directory: CameraDirectory, move: Move) {
  if (move.move === 'announce') return directory.announce(move.edge, move.cameras);
  if (move.move === 'observe') directory.observe(move.edge, move.camera);
  else if (move.move === 'join') directory.join(move.edge);
  else directory.leave(move.edge);
  return [];
}

describe('the directory of cameras', () => {
  test('a camera keeps its owner until the owner announces a list without it', () => {
    fc.assert(
      fc.property(fc.array(moves, { maxLength: 40 }), (steps) => {
        const directory = new CameraDirectory();
        for (const step of steps) {
          const before = new Map(CAMERAS.map((camera) => [camera, directory.ownerOf(camera)]));
          apply(directory, step);
          for (const [camera, owner] of before) {
            const isGivenUp =
              step.move === 'announce' && step.edge === owner && !step.cameras.includes(camera);
            if (owner !== undefined && !isGivenUp) expect(directory.ownerOf(camera)).toBe(owner);
          }
        }
      }),
    );
  });

  test('contested is what more than one edge announces', () => {
    fc.assert(
      fc.property(fc.array(moves, { maxLength: 40 }), (steps) => {
        const directory = new CameraDirectory();
        const announced = new Map<string, readonly string[]>();
        for (const step of steps) {
          if (step.move === 'observe') continue;
          const conflicts = apply(directory, step);
          if (step.move !== 'announce') continue;
          announced.set(step.edge, step.cameras);
          const holders = (camera: string) =>
            [...announced].filter(([, cameras]) => cameras.includes(camera)).length;
          expect(directory.contested).toBe(CAMERAS.filter((id) => holders(id) > 1).length);
          for (const { cameraId, owner, contender } of conflicts) {
            expect(owner).not.toBe(contender);
            expect(directory.ownerOf(cameraId)).toBe(owner);
            expect([owner, contender]).toContain(step.edge);
          }
        }
      }),
    );
  });

  test('a conflict is told once, and again to an edge that comes back', () => {
    const directory = new CameraDirectory();
    for (const edge of ['e1', 'e2']) directory.join(edge);
    expect(directory.announce('e1', ['a'])).toEqual([]);
    const conflict = { cameraId: 'a', owner: 'e1', contender: 'e2' };
    expect(directory.announce('e2', ['a', 'b'])).toEqual([conflict]);
    expect(directory.announce('e2', ['a', 'b', 'c'])).toEqual([]);
    directory.leave('e1');
    directory.join('e1');
    expect(directory.announce('e1', ['a'])).toEqual([conflict]);
    expect(directory.announce('e1', [])).toEqual([]);
    expect([directory.ownerOf('a'), directory.contested]).toEqual(['e2', 0]);
  });

  test('forgets edges that have been away for longest, not those that are here', () => {
    const directory = new CameraDirectory();
    directory.join('here');
    directory.announce('here', ['of here']);
    for (let n = 0; n < 4200; n++) {
      directory.join(`edge-${n}`);
      directory.announce(`edge-${n}`, [`camera-${n}`]);
      directory.leave(`edge-${n}`);
    }
    expect(directory.size).toBe(4097);
    expect(directory.ownerOf('of here')).toBe('here');
    expect(directory.ownerOf('camera-0')).toBeUndefined();
    expect(directory.ownerOf('camera-4199')).toBe('edge-4199');
  });
});

test('answers are kept for a while and so many, of each asker and in all', () => {
  const limits = { keepMs: 100, perAsker: 2, inAll: 3 };
  const kept = new KeptAnswers<string>(limits);
  for (const n of [1, 2, 3]) kept.add(`a${n}`, 'a', `answer ${n}`, n);
  expect(['a1', 'a2', 'a3'].map((key) => kept.get(key, 3))).toEqual([
    undefined,
    'answer 2',
    'answer 3',
  ]);
  kept.add('b1', 'b', 'b', 4);
  kept.add('c1', 'c', 'c', 5);
  expect([kept.size, kept.get('a2', 5), kept.get('a3', 5)]).toEqual([3, undefined, 'answer 3']);
  expect([kept.get('a3', 103), kept.get('b1', 103)]).toEqual([undefined, 'b']);
});
