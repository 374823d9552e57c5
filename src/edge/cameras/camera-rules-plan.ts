import { type RuleConfig, ruleSchema, WEEKDAYS } from '../../config/rule-schema.ts';
import type { CameraConfig, Config } from '../../config/schema.ts';
import { parseCoordinates, parseSize } from '../../config/zone-schema.ts';
import { CameraRules } from '../../events/rules/camera-rules.ts';
import type { Rule } from '../../events/rules/rule.ts';
import { NO_MEMORY, type RuleMemory } from '../../events/rules/rule-memory.ts';
import { type ScheduleWindow, SiteClock } from '../../events/rules/schedule.ts';
import { GroundPlane } from '../../tracking/zones/ground-plane.ts';
import type { LineSpec } from '../../tracking/zones/line-crossing.ts';
import type { ObjectMask } from '../../tracking/zones/object-mask.ts';
import type { ZoneSpec } from '../../tracking/zones/zone-presence.ts';

/** Who was put on the watch list is an alert without a rule that says so; one of this name takes its place. */
const BUILT_IN = {
  watch_list_match: ruleSchema.parse({ identity: ['watch_list', 'threat'], severity: 'critical' }),
};

type RuleSections = Pick<Config, 'rules' | 'cameras' | 'site'>;

/**
 * The rules of a camera; null where it has none.
 * @param memory what they knew in an earlier run
 */
export function planRules(
  config: RuleSections,
  cameraId: string,
  memory: RuleMemory = NO_MEMORY,
): CameraRules | null {
  const camera = config.cameras[cameraId];
  const zones = Object.entries(camera?.zones ?? {}).map(
    ([name, zone]): ZoneSpec => ({
      name,
      polygon: parseCoordinates(zone.coordinates) ?? [],
      inertiaMs: zone.inertia_s * 1000,
      ground: groundOf(zone),
    }),
  );
  const lines = Object.entries(camera?.lines ?? {}).flatMap(
    ([name, { coordinates }]): LineSpec[] => {
      const [from, to] = parseCoordinates(coordinates) ?? [];
      return from === undefined || to === undefined ? [] : [{ name, from, to }];
    },
  );
  const configured = { ...(camera?.faces.enabled && BUILT_IN), ...config.rules };
  const rules = Object.entries(configured).flatMap(
    ([name, rule]) => ruleOf(name, rule, cameraId, { zones, lines }) ?? [],
  );
  if (rules.length + zones.length + lines.length === 0) return null;
  const { time_zone: timeZone = machineTimeZone() } = config.site;
  const siteClock = new SiteClock(timeZone);
  return new CameraRules({ cameraId, zones, lines, rules, siteClock, memory });
}

/** The ground within a zone; null where it was not measured, or its corners cannot be those of a rectangle. */
function groundOf({ coordinates, size_m }: CameraConfig['zones'][string]): GroundPlane | null {
  const [width, depth] = (size_m !== undefined && parseSize(size_m)) || [];
  if (width === undefined || depth === undefined) return null;
  return GroundPlane.of(parseCoordinates(coordinates) ?? [], width, depth);
}

/** Where nothing is an object for a camera. */
export function planMasks({ cameras }: Pick<Config, 'cameras'>, cameraId: string): ObjectMask[] {
  return Object.values(cameras[cameraId]?.masks ?? {}).map(({ coordinates, labels }) => ({
    polygon: parseCoordinates(coordinates) ?? [],
    labels: labels && new Set(labels),
  }));
}

/**
 * Rules that name what no camera has; the rest of them holds. In words.
 * @param unread cameras of the file that have a fault: nothing is known of their zones
 */
export function rulePlaceProblems(
  { rules, cameras }: RuleSections,
  unread: ReadonlySet<string>,
): string[] {
  return Object.entries(rules).flatMap(([name, rule]) => {
    if (rule.cameras === undefined ? unread.size > 0 : rule.cameras.some((id) => unread.has(id)))
      return [];
    const own = Object.entries(cameras).filter(([id]) => rule.cameras?.includes(id) ?? true);
    const has = (kind: 'zones' | 'lines', place: string): boolean =>
      own.some(([, camera]) => Object.hasOwn(camera[kind], place));
    return [
      ...(rule.cameras ?? [])
        .filter((id) => !Object.hasOwn(cameras, id))
        .map((id) => `rules.${name}.cameras: there is no camera ${id}`),
      ...(['zones', 'lines'] as const).flatMap((kind) =>
        (rule[kind] ?? [])
          .filter((place) => !has(kind, place))
          .map((place) => `rules.${name}.${kind}: none of its cameras has ${place}`),
      ),
    ];
  });
}

/** The rule as it is on a camera; null where it does not concern it. */
function ruleOf(
  name: string,
  rule: RuleConfig,
  cameraId: string,
  own: { readonly zones: readonly ZoneSpec[]; readonly lines: readonly LineSpec[] },
): Rule | null {
  if (!rule.enabled || !(rule.cameras?.includes(cameraId) ?? true)) return null;
  const within = (names: readonly string[] | undefined, places: readonly { name: string }[]) =>
    names?.filter((each) => places.some((place) => place.name === each)) ?? null;
  const zones = within(rule.zones, own.zones);
  const lines = within(rule.lines, own.lines);
  if (zones?.length === 0 || lines?.length === 0) return null;
  return {
    name,
    alertType: rule.alert ?? usualType(rule),
    severity: rule.severity,
    labels: rule.labels && new Set(rule.labels),
    minScore: rule.min_score,
    minSpeedKmh: rule.min_speed_kmh ?? null,
    identity: rule.identity === undefined ? null : new Set(rule.identity),
    zones,
    lines,
    direction: rule.direction ?? null,
    durationMs: rule.duration_s * 1000,
    count: rule.count,
    schedule: rule.schedule?.map(windowOf) ?? null,
    cooldownMs: rule.cooldown_s * 1000,
  };
}

function usualType({ identity, lines, duration_s, min_speed_kmh }: RuleConfig): string {
  if (identity !== undefined) return identityType(identity);
  if (min_speed_kmh !== undefined) return 'speeding';
  if (lines !== undefined) return 'perimeter_breach';
  return duration_s > 0 ? 'loitering_detected' : 'object_detected';
}

function identityType(identity: readonly string[]): string {
  if (identity.every((who) => who === 'watch_list' || who === 'threat')) return 'watch_list_match';
  return identity.every((who) => who === 'unknown') ? 'unknown_person' : 'person_recognised';
}

function windowOf({ days, from, to }: NonNullable<RuleConfig['schedule']>[number]): ScheduleWindow {
  return {
    days: new Set(days.map((day) => WEEKDAYS.indexOf(day))),
    fromMinute: minuteOf(from),
    toMinute: minuteOf(to),
  };
}

function minuteOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * 60 + minutes;
}

function machineTimeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
