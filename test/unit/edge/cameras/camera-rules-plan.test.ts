import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configSchema } from '../../../../src/config/schema.ts';
import { planRules, rulePlaceProblems } from '../../../../src/edge/cameras/camera-rules-plan.ts';

function config(text: string) {
  return configSchema.parse(parse(text));
}

/** The complaints about a rule. */
function issues(rule: object): [string, string][] {
  const { error } = configSchema.safeParse({ rules: { r: rule } });
  return (error?.issues ?? []).map(({ path, message }) => [path.slice(2).join('.'), message]);
}

const SITE = config(`
cameras:
  gate: { path: /a.mp4, zones: { yard: { coordinates: "0,0,1,0,1,1" } } }
  dock: { path: /b.mp4, lines: { ramp: { coordinates: "0,0.5,1,0.5" } } }
  hall: { path: /c.mp4 }
rules:
  loitering: { zones: [yard], duration_s: 15 }
  ramp: { lines: [ramp], cameras: [dock, hall] }
  off: { enabled: false }
`);

describe('planRules', () => {
  test('gives a camera the rules whose zones or lines it has', () => {
    expect(planRules(SITE, 'gate')?.counts).toEqual({ zones: { yard: 0 }, lines: {} });
    expect(planRules(SITE, 'dock')?.counts.lines).toEqual({ ramp: { left: 0, right: 0 } });
    expect(planRules(SITE, 'hall')).toBeNull();
  });

  test('gives a camera that was given upstream the rules of all cameras', () => {
    const everywhere = config('{ rules: { anybody: {} } }');
    expect(planRules(everywhere, 'guest')).not.toBeNull();
    expect(planRules(SITE, 'guest')).toBeNull();
  });
});

describe('rules about people', () => {
  const type = (identity: string) => {
    const rules = planRules(
      config(`
cameras: { gate: { path: /a.mp4 } }
rules: { who: { identity: ${identity} } }
`),
      'gate',
    );
    const box = { x: 0.4, y: 0.4, width: 0.1, height: 0.2 };
    const track = {
      ...{ id: 1, label: 'person', classId: 0, box, firstBox: box, score: 0.9, topScore: 0.9 },
      ...{ medianScore: 0.9, firstSeenMs: 0, lastSeenMs: 0, hits: 5 },
    };
    const eve = { person_id: 'eve', name: 'Eve', confidence: 0.6, threat_level: 'threat' as const };
    const seen = [
      { track, eventId: 'a', identity: eve, isUnknown: false },
      { track: { ...track, id: 2 }, eventId: 'b', identity: null, isUnknown: true },
    ];
    return rules?.frame(seen, { monoMs: 0, wallMs: 0 }).map((alert) => alert.type);
  };

  test('the type of the alert says what they ask for', () => {
    expect(type('[unknown]')).toEqual(['unknown_person']);
    expect(type('[watch_list, threat]')).toEqual(['watch_list_match']);
    expect(type('[known]')).toEqual(['person_recognised']);
    expect(type('["person:eve"]')).toEqual(['person_recognised']);
  });

  test('who is on the watch list is an alert without a rule, where faces are compared', () => {
    const site = config(`
cameras:
  gate: { path: /a.mp4, faces: { enabled: true } }
  hall: { path: /b.mp4 }
`);
    expect(planRules(site, 'gate')).not.toBeNull();
    expect(planRules(site, 'hall')).toBeNull();
  });
});

test('a rule about speed fires for who is faster in a measured zone, and says how fast', () => {
  const rules = planRules(
    config(`
cameras: { gate: { path: /a.mp4, zones: { drive: { coordinates: "0,0,1,0,1,1,0,1", size_m: "10,10", inertia_s: 0 } } } }
rules: { fast: { zones: [drive], min_speed_kmh: 20, min_score: 0 } }
`),
    'gate',
  );
  const alerts = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((step) => {
    // Ten metres are the whole width: number 1 makes 6 m/s, number 2 makes 3.
    const seen = [1, 2].map((id) => {
      const box = { x: (step * 0.06) / id, y: 0.2, width: 0.1, height: 0.3 };
      const track = {
        ...{ id, label: 'person', classId: 0, box, firstBox: box, score: 0.9, topScore: 0.9 },
        ...{ medianScore: 0.9, firstSeenMs: 0, lastSeenMs: step * 100, hits: 5 },
      };
      return { track, eventId: `${id}`, identity: null, isUnknown: false };
    });
    return rules?.frame(seen, { monoMs: step * 100, wallMs: step * 100 }) ?? [];
  });
  expect(alerts).toMatchObject([
    { type: 'speeding', data: { track_id: 1, speed_kmh: 21.6, why: 'person in drive at 22 km/h' } },
  ]);
});

describe('rulePlaceProblems', () => {
  const wrong = config(`
cameras: { gate: { path: /a.mp4, zones: { yard: { coordinates: "0,0,1,0,1,1" } } } }
rules:
  good: { zones: [yard] }
  where: { zones: [yard, garden], cameras: [gate] }
  who: { cameras: [gate, atlantis] }
`);

  test('names what no camera has', () => {
    expect(rulePlaceProblems(wrong, new Set())).toEqual([
      'rules.where.zones: none of its cameras has garden',
      'rules.who.cameras: there is no camera atlantis',
    ]);
    expect(rulePlaceProblems(SITE, new Set())).toEqual([]);
  });

  test('says nothing of a camera whose part of the file could not be read', () => {
    expect(rulePlaceProblems(wrong, new Set(['atlantis']))).toEqual([
      'rules.where.zones: none of its cameras has garden',
    ]);
  });
});

describe('rules of the configuration', () => {
  test.each([
    [{ zones: ['a'], lines: ['b'] }, 'zones'],
    [{ lines: ['b'], duration_s: 5 }, 'duration_s'],
    [{ lines: ['b'], count: 2 }, 'count'],
    [{ direction: 'left' }, 'direction'],
    [{ severity: 'huge' }, 'severity'],
    [{ schedule: [{ from: '7:00', to: '08:00' }] }, 'schedule.0.from'],
    [{ schedule: [{ from: '24:00', to: '08:00' }] }, 'schedule.0.from'],
    [{ schedule: [{ from: '07:00', to: '24:01' }] }, 'schedule.0.to'],
    [{ schedule: [{ days: ['monday'], from: '07:00', to: '08:00' }] }, 'schedule.0.days.0'],
  ])('%j is refused for its %s', (rule, key) => {
    expect(issues(rule).map(([path]) => path)).toEqual([key]);
  });

  test.each([
    '',
    '0,0,1,1',
    '0,0,1,0,1',
    '0,0,1,0,1,1.1',
    '0,0,1,0,1,x',
    '0,0,1,0,1,',
    '-0.1,0,1,0,1,1',
  ])('corners %j are none of a zone', (coordinates) => {
    const gate = { path: '/a.mp4', zones: { yard: { coordinates } } };
    const { error } = configSchema.safeParse({ cameras: { gate } });
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual([
      'cameras.gate.zones.yard.coordinates',
    ]);
  });

  test.each(['0,0', '0,0,1,1,0.5,0.5', '0.5,0.5,0.5,0.505'])(
    'ends %j are none of a line',
    (coordinates) => {
      const gate = { path: '/a.mp4', lines: { door: { coordinates } } };
      expect(configSchema.safeParse({ cameras: { gate } }).success).toBe(false);
    },
  );

  test('a camera has at most 64 zones, so that messages can name them', () => {
    const zones = (count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, i) => [`z${i}`, { coordinates: '0,0,1,0,1,1' }]),
      );
    const isFine = (count: number) =>
      configSchema.safeParse({ cameras: { gate: { path: '/a.mp4', zones: zones(count) } } })
        .success;
    expect([isFine(64), isFine(65)]).toEqual([true, false]);
  });

  test('a time zone that there is not is refused', () => {
    expect(configSchema.safeParse({ site: { time_zone: 'Mars/Olympus' } }).success).toBe(false);
    expect(configSchema.safeParse({ site: { time_zone: 'Asia/Kathmandu' } }).success).toBe(true);
  });
});
