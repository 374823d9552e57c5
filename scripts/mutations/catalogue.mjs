// What the fault tests must notice: changes to the program, exact, each with the tests that have to fail under it.

const KILL = 'test/faults/kill.test.ts';
const POWER = 'test/faults/power.test.ts';
const DISK = 'test/faults/disk.test.ts';
const CLOCK = 'test/faults/clock.test.ts';
const ACCESS = 'test/faults/network-auth.test.ts';
const SLOW_LINK = 'test/faults/network-slow-link.test.ts';
const LEGACY = 'test/faults/network-legacy-mix.test.ts';
const FLEET = 'test/faults/fleet-recovery.test.ts';
const PARTITION = 'test/faults/network-partition.test.ts';
const FLAPPING = 'test/faults/network-flapping-link.test.ts';
const FRAMES = 'test/faults/frames-acks-and-batches.test.ts';

/** @type {readonly {name: string, changes: readonly {file: string, find: string, replace: string}[],
 *    tests: readonly {file: string, name: string}[]}[]} */
export const MUTATIONS = [
  {
    name: 'synchronous=NORMAL',
    changes: [
      {
        file: 'src/store/file/sqlite.ts',
        find: "  db.pragma('synchronous = FULL');\n  const synchronous =",
        replace: "  db.pragma('synchronous = NORMAL');\n  const synchronous =",
      },
      {
        file: 'src/store/file/sqlite.ts',
        find: 'const SYNCHRONOUS_FULL = 2;',
        replace: 'const SYNCHRONOUS_FULL = 1;',
      },
    ],
    tests: [
      { file: POWER, name: '3 power loss at the edge' },
      { file: POWER, name: '3 power loss at the hub' },
    ],
  },
  {
    name: 'same epoch after a restart',
    changes: [
      {
        file: 'src/store/store-worker.ts',
        find: 'newEpoch: () => uuid7(systemClock.wallMs()),',
        replace: "newEpoch: () => '01980000-0000-7000-8000-000000000001' + uuid7(0).slice(36),",
      },
      {
        file: 'src/store/outbox/outbox-schema.ts',
        find: 'epoch TEXT NOT NULL UNIQUE,',
        replace: 'epoch TEXT NOT NULL,',
      },
    ],
    tests: [{ file: DISK, name: '4 storage put back' }],
  },
  {
    name: 'acknowledged before the commit',
    changes: [
      {
        file: 'src/hub/store/hub-database.ts',
        find: 'return this.#db.transaction(() => calls.map((call) => this.#write(call))).immediate();',
        replace: `if (this.#db.inTransaction) this.#db.exec('COMMIT');
      this.#db.exec('BEGIN IMMEDIATE');
      return calls.map((call) => this.#write(call));`,
      },
    ],
    tests: [
      { file: KILL, name: '2 hub killed' },
      { file: POWER, name: '3 power loss at the hub' },
    ],
  },
  {
    name: 'events and their mark in two transactions',
    changes: [
      {
        file: 'src/hub/store/hub-database.ts',
        find: 'return this.#db.transaction(() => calls.map((call) => this.#write(call))).immediate();',
        replace: 'return calls.map((call) => this.#write(call));',
      },
      {
        file: 'src/hub/store/hub-database.ts',
        find: '    for (const { index, item } of placement.accepted) eventIds[index] =',
        replace: `    this.#statements.advance.run({ clientId, ...stream, ackedThrough: placement.ackedThrough, nowMs });
    for (const { index, item } of placement.accepted) eventIds[index] =`,
      },
    ],
    tests: [{ file: KILL, name: '2 hub killed at a syscall' }],
  },
  {
    name: 'duplicates refused instead of acknowledged again',
    changes: [
      {
        file: 'src/hub/store/hub-database.ts',
        find: '    const conflicts = placement.accepted',
        replace: `    if (placement.duplicates.length > 0) throw new Error('duplicate');
    const conflicts = placement.accepted`,
      },
    ],
    tests: [{ file: FRAMES, name: '17 batches replayed' }],
  },
  {
    name: 'no ballast',
    changes: [
      {
        file: 'src/store/file/disk-room.ts',
        find: '    if (this.#hasBallast) return;\n',
        replace: '    if (monoMs > 0) return;\n',
      },
    ],
    tests: [{ file: DISK, name: '12 disk filled' }],
  },
  {
    name: 'evicted without a gap row',
    changes: [
      {
        file: 'src/store/outbox/lane-table.ts',
        find: 'const declared = this.#declare(gap, { ...at, epochId: first.epoch_id });\n    const bytes',
        replace: `const declared =
      at.monoMs < 0 ? this.#declare(gap, { ...at, epochId: 0 }) : { depth: 0, bytes: 0 };
    const bytes`,
      },
    ],
    tests: [{ file: DISK, name: '13 more than the budget' }],
  },
  {
    name: 'backoff up to 30 s',
    changes: [
      {
        file: 'src/protocol/reconnection.ts',
        find: 'return isLong ? Math.max(LONG_DOWN_CAP_MS, backoff.capMs) : backoff.capMs;',
        replace: 'return isLong ? LONG_DOWN_CAP_MS : Math.max(30_000, backoff.capMs);',
      },
    ],
    tests: [{ file: FLEET, name: '9 the hub restarts' }],
  },
  {
    name: 'breaker counts what cannot be reached',
    changes: [
      {
        file: 'src/uplink/link/ending.ts',
        find: "return { ending: { kind: 'lost' }, error: unreachable(what(facts, end), end) };",
        replace:
          "return { ending: { kind: 'refused', retryAfterMs: null }, error: unreachable(what(facts, end), end) };",
      },
    ],
    tests: [{ file: FLAPPING, name: '11 a flapping link' }],
  },
  {
    name: 'close() instead of terminate() on a stale link',
    changes: [
      {
        file: 'src/uplink/session.ts',
        find: '    // Not close(): that would wait for a peer that may be gone.\n    this.#socket.terminate();',
        replace: '    this.#socket.close(CLOSE_CODES.goingAway);',
      },
    ],
    tests: [{ file: PARTITION, name: '5, 6 a black hole' }],
  },
  {
    name: 'the same file used on after an I/O error',
    changes: [
      {
        file: 'src/store/store-backing.ts',
        find: '    return this.#attemptReopened(action);',
        replace: `    for (let again = 0; again < 3; again++) {
      try {
        return { ok: true, result: action() };
      } catch {}
    }
    return this.#attemptReopened(action);`,
      },
    ],
    tests: [{ file: DISK, name: '14 after a failed fsync' }],
  },
  {
    name: 'timers by the wall clock',
    changes: [
      {
        file: 'src/system/clock.ts',
        find: 'monotonicMs: () => Number(process.hrtime.bigint() / 1000n) / 1000,',
        replace: 'monotonicMs: () => Date.now(),',
      },
    ],
    tests: [{ file: CLOCK, name: '16 the wall clock' }],
  },
  {
    name: 'heartbeats and alerts behind the whole backlog',
    changes: [
      {
        file: 'src/uplink/sending/window.ts',
        find: 'const used = this.#used();',
        replace: 'const used = { ...this.#used(), batches: 0, messages: 0, bytes: 0 };',
      },
      {
        file: 'src/uplink/sending/sender.ts',
        find: 'const BUFFER_HIGH_BYTES = 1024 * 1024;',
        replace: 'const BUFFER_HIGH_BYTES = 1024 * 1024 * 1024;',
      },
    ],
    tests: [{ file: SLOW_LINK, name: '7 a narrow link' }],
  },
  {
    name: 'refusals never open the breaker',
    changes: [
      {
        file: 'src/uplink/breaker.ts',
        find: 'return isOver ? opened(counted, outcome, at) : counted;',
        replace:
          "return isOver && outcome.code === 'INTERNAL' ? opened(counted, outcome, at) : counted;",
      },
    ],
    tests: [{ file: ACCESS, name: '23 a wrong token' }],
  },
  {
    name: 'forks are not told',
    changes: [
      {
        file: 'src/hub/store/fork.ts',
        find: "return hasOwnEpoch || listedEpochs.length === 0 ? 'renewed' : 'fork';",
        replace: "return hasOwnEpoch || listedEpochs.length >= 0 ? 'renewed' : 'fork';",
      },
    ],
    tests: [{ file: ACCESS, name: '23 a cloned card' }],
  },
  {
    name: 'messages of the original protocol stored again',
    changes: [
      {
        file: 'src/hub/legacy/legacy-item.ts',
        find: 'if (requestId === undefined || requestId === null) return null;',
        replace: 'if (requestId !== undefined || requestId === null) return null;',
      },
    ],
    tests: [{ file: LEGACY, name: '20 a recorded session' }],
  },
];
