import type { AlertTriggered } from '../../protocol/payloads.ts';
import type { Track } from '../../tracking/types.ts';
import { CameraZones, type TrackZones } from '../../tracking/zones/camera-zones.ts';
import { footPoint } from '../../tracking/zones/geometry.ts';
import { LineCrossing, type LineSpec } from '../../tracking/zones/line-crossing.ts';
import type { ZoneSpec } from '../../tracking/zones/zone-presence.ts';
import { alertOf, type SeenObject } from './alert.ts';
import { Cooldowns } from './cooldown.ts';
import { type KnownObject, KnownObjects, Stillness } from './known-objects.ts';
import type { Rule } from './rule.ts';
import { NO_MEMORY, type RuleMemory } from './rule-memory.ts';
import { type FiringFacts, RuleWatch, type Surroundings } from './rule-watch.ts';
import { isWithin, type SiteClock } from './schedule.ts';
import { StormGuard } from './storm-guard.ts';

export interface CameraRulesOptions {
  readonly cameraId: string;
  readonly zones: readonly ZoneSpec[];
  readonly lines: readonly LineSpec[];
  readonly rules: readonly Rule[];
  readonly siteClock: SiteClock;
  /** Of an earlier run. */
  readonly memory?: RuleMemory;
}

/** Time of a frame. */
export interface FrameTime {
  readonly monoMs: number;
  readonly wallMs: number;
}

/** Zones, lines and rules of one camera: from tracks to alerts. Pure: time comes in. */
export class CameraRules implements Surroundings {
  readonly #options: CameraRulesOptions;
  readonly #zones: CameraZones;
  readonly #lines: readonly LineCrossing[];
  readonly #watches: readonly RuleWatch[];
  readonly #cooldowns: Cooldowns;
  readonly #known: KnownObjects;
  readonly #stillness = new Stillness();
  /** Of tracks that go on with an object from before: since when that has been in view. */
  readonly #since = new Map<number, number>();
  #fired = 0;
  readonly #storm: StormGuard;
  readonly #present = new Map<number, SeenObject>();
  #seen: ReadonlySet<number> = new Set();

  constructor(options: CameraRulesOptions) {
    this.#options = options;
    this.#storm = new StormGuard(options.cameraId);
    this.#zones = new CameraZones(options.zones);
    this.#lines = options.lines.map((line) => new LineCrossing(line));
    this.#watches = options.rules.map((rule) => new RuleWatch(rule));
    const { objects, cooldowns, crowds } = options.memory ?? NO_MEMORY;
    this.#cooldowns = new Cooldowns(cooldowns);
    this.#known = new KnownObjects(objects);
    for (const [name, place] of crowds)
      this.#watches.find(({ rule }) => rule.name === name)?.resumeCrowd(place);
  }

  /** Times that a rule fired, also where it was not told. */
  get fired(): number {
    return this.#fired;
  }

  /** What would have to be known after an interruption. */
  get memory(): RuleMemory {
    return {
      objects: [...this.#known.unclaimed, ...this.#remembered()],
      cooldowns: this.#cooldowns.entries,
      crowds: this.#watches.flatMap(({ rule, crowds }) =>
        crowds.map((place) => [rule.name, place] as const),
      ),
    };
  }

  /** All tracks end now, and not because what they follow has left. */
  interrupted(): void {
    this.#known.interrupted(this.#remembered());
  }

  get present(): Iterable<SeenObject> {
    return this.#present.values();
  }

  isSeen(trackId: number): boolean {
    return this.#seen.has(trackId);
  }

  sinceMs(track: Track, zone: string | null): number | null {
    if (zone === null) return this.#since.get(track.id) ?? track.firstSeenMs;
    return this.#zones.sinceMs(track.id, zone);
  }

  kmh(track: Track, zone: string | null): number | null {
    return zone === null ? null : this.#zones.kmh(track.id, zone);
  }

  /** The zones of a track as of the newest frame taken in; null where the camera has none. */
  zonesOf(trackId: number): TrackZones | null {
    return this.#zones.of(trackId);
  }

  /** How many are in each zone, and how often each line was crossed since the start. */
  get counts(): {
    readonly zones: Readonly<Record<string, number>>;
    readonly lines: Readonly<Record<string, LineCrossing['counts']>>;
  } {
    return {
      zones: this.#zones.occupancies,
      lines: Object.fromEntries(this.#lines.map(({ spec, counts }) => [spec.name, counts])),
    };
  }

  /** Takes in the confirmed tracks that were seen in a frame. */
  frame(objects: readonly SeenObject[], time: FrameTime): AlertTriggered[] {
    this.#seen = new Set(objects.map(({ track }) => track.id));
    const isGathering = this.#known.frame(time.monoMs);
    for (const watch of this.#watches) watch.gather(isGathering);
    const crossings = objects.flatMap((object) => this.#place(object, time.monoMs));
    // Who is there already when the hours of a rule begin is an alert then.
    const due = this.#watches.filter(({ rule }) => this.#isDue(rule, time.wallMs));
    const presences = due.flatMap((watch) => watch.look(this, time.monoMs));
    const crossed = crossings.filter(({ rule }) => this.#isDue(rule, time.wallMs));
    const alerts = [...crossed, ...presences].flatMap((facts) => this.#alert(facts, time) ?? []);
    const digest = this.#storm.digest(time.monoMs, time.wallMs);
    return digest === null ? alerts : [digest, ...alerts];
  }

  /** The camera is not watched any more: what would have waited is told. @param wallMs of the last frame */
  end(wallMs: number): AlertTriggered[] {
    const digest = this.#storm.flush(wallMs);
    return digest === null ? [] : [digest];
  }

  /** The track has ended. */
  forget(trackId: number): void {
    this.#present.delete(trackId);
    this.#since.delete(trackId);
    this.#stillness.forget(trackId);
    this.#zones.forget(trackId);
    for (const line of this.#lines) line.forget(trackId);
    for (const place of [null, ...this.#zones.names]) this.#left(trackId, place);
  }

  /** Where the object is now. Returns what follows from the lines that it has crossed. */
  #place(object: SeenObject, monoMs: number): FiringFacts[] {
    const { track } = object;
    const isNew = !this.#present.has(track.id);
    this.#present.set(track.id, object);
    // It was there before it was confirmed.
    if (isNew) this.#begin(track);
    this.#stillness.see(track);
    const foot = footPoint(track.box);
    for (const zone of this.#zones.see(track.id, foot, monoMs)) this.#left(track.id, zone);
    return this.#lines.flatMap((line) => {
      const direction = line.see(track.id, foot);
      if (direction === null) return [];
      return this.#watches.flatMap(
        (watch) => watch.crossed(object, line.spec.name, direction) ?? [],
      );
    });
  }

  #begin(track: Track): void {
    const { id, firstBox, firstSeenMs } = track;
    const foot = footPoint(firstBox);
    this.#zones.see(id, foot, firstSeenMs);
    for (const line of this.#lines) line.see(id, foot);
    const known = this.#known.claim(track);
    if (known !== null) this.#resume(track, known);
  }

  /** It was there before an interruption: its stay goes on. */
  #resume(track: Track, { firstSeenMs, stillSinceMs, zones, told }: KnownObject): void {
    this.#since.set(track.id, firstSeenMs);
    this.#stillness.resume(track, stillSinceMs);
    this.#zones.resume(track.id, footPoint(track.firstBox), zones);
    for (const [name, place] of told)
      if (this.sinceMs(track, place) !== null)
        this.#watches.find(({ rule }) => rule.name === name)?.resume(track.id, place);
  }

  #remembered(): KnownObject[] {
    return [...this.#present.values()].map(({ track }) => {
      const told = this.#watches.flatMap((watch) =>
        [null, ...this.#zones.names]
          .filter((place) => watch.hasTold(track.id, place))
          .map((place) => [watch.rule.name, place] as const),
      );
      return {
        ...{ label: track.label, box: track.box, lastSeenMs: track.lastSeenMs, told },
        firstSeenMs: this.#since.get(track.id) ?? track.firstSeenMs,
        stillSinceMs: this.#stillness.see(track),
        zones: this.#zones.stays(track.id),
      };
    });
  }

  #left(trackId: number, zone: string | null): void {
    for (const watch of this.#watches) watch.left(trackId, zone);
  }

  #alert(facts: FiringFacts, { monoMs, wallMs }: FrameTime): AlertTriggered | null {
    const { cameraId } = this.#options;
    const { rule, zone, crossing } = facts;
    const who = rule.identity === null ? null : (facts.object.identity?.person_id ?? null);
    const key = JSON.stringify([rule.name, zone, crossing?.line, who]);
    this.#fired++;
    const suppressed = this.#cooldowns.claim(key, rule.cooldownMs, monoMs);
    if (suppressed === null) return null;
    return this.#storm.pass(alertOf({ ...facts, suppressed }, cameraId, wallMs), monoMs);
  }

  /** Rules whose hours it is. */
  #isDue({ schedule }: Rule, wallMs: number): boolean {
    return schedule === null || isWithin(schedule, this.#options.siteClock.at(wallMs));
  }
}
