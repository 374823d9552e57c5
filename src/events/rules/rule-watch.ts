import { detectionType } from '../../protocol/detection.ts';
import type { Track } from '../../tracking/types.ts';
import type { Direction } from '../../tracking/zones/line-crossing.ts';
import type { Firing, SeenObject } from './alert.ts';
import type { Rule } from './rule.ts';

/** What a rule asks of the picture. */
export interface Surroundings {
  /** Tracks with an event, also those out of sight for a moment. */
  readonly present: Iterable<SeenObject>;
  isSeen(trackId: number): boolean;
  /** Since when a track has been in a zone, in view for null; null where it is not there. */
  sinceMs(track: Track, zone: string | null): number | null;
  /** How fast a track is in a zone; null where that is not known. */
  kmh(track: Track, zone: string | null): number | null;
}

/** No track. */
const NOBODY = -1;

export type FiringFacts = Omit<Firing, 'suppressed'>;

/** One rule on one camera: when it fires, and that it does once for each stay. */
export class RuleWatch {
  readonly rule: Rule;
  readonly #places: readonly (string | null)[];
  /** By place: tracks that it has fired for, or, of a rule with a count, any while the count holds. */
  readonly #told: ReadonlyMap<string | null, Set<number>>;

  /** Those who were there before an interruption may still turn up. */
  #isGathering = false;

  constructor(rule: Rule) {
    this.rule = rule;
    this.#places = rule.zones ?? [null];
    this.#told = new Map(this.#places.map((place) => [place, new Set<number>()]));
  }

  /** Places where it has fired for those who are there together. */
  get crowds(): (string | null)[] {
    if (this.rule.count === 1) return [];
    return this.#places.filter((place) => (this.#told.get(place)?.size ?? 0) > 0);
  }

  /** Whether it has fired for this stay. */
  hasTold(trackId: number, zone: string | null): boolean {
    return this.rule.count === 1 && this.#told.get(zone)?.has(trackId) === true;
  }

  /** It has fired for this stay before an interruption. */
  resume(trackId: number, zone: string | null): void {
    if (this.rule.count === 1) this.#told.get(zone)?.add(trackId);
  }

  /** It has fired for those who are there together, before an interruption. */
  resumeCrowd(zone: string | null): void {
    if (this.rule.count > 1) this.#told.get(zone)?.add(NOBODY);
  }

  /** @param isGathering whether those who were there before an interruption may still turn up */
  gather(isGathering: boolean): void {
    this.#isGathering = isGathering;
  }

  /** Fires for those who are where the rule looks. @param monoMs time of the frame */
  look(around: Surroundings, monoMs: number): FiringFacts[] {
    if (this.rule.lines !== null) return [];
    return this.#places.flatMap((zone) => {
      const members = this.#members(around, zone, monoMs);
      return this.rule.count > 1
        ? this.#crowd(zone, members, around)
        : this.#single(zone, members, around);
    });
  }

  /** Fires for a crossing of a line. */
  crossed(object: SeenObject, line: string, direction: Direction): FiringFacts | null {
    const { rule } = this;
    if (!rule.lines?.includes(line) || (rule.direction ?? direction) !== direction) return null;
    if (!this.#fits(object)) return null;
    const { firstSeenMs, lastSeenMs } = object.track;
    const presentMs = lastSeenMs - firstSeenMs;
    return {
      rule,
      object,
      zone: null,
      crossing: { line, direction },
      presentMs,
      kmh: null,
      count: 1,
    };
  }

  /** A stay is over: the next one counts anew. */
  left(trackId: number, zone: string | null): void {
    if (this.rule.count === 1) this.#told.get(zone)?.delete(trackId);
  }

  #single(zone: string | null, members: readonly Member[], around: Surroundings): FiringFacts[] {
    const told = this.#told.get(zone) ?? new Set();
    // One that has just gone out of sight may have left.
    const due = members.filter(
      ({ object: { track } }) => !told.has(track.id) && around.isSeen(track.id),
    );
    for (const { object } of due) told.add(object.track.id);
    const { rule } = this;
    return due.map((member) => ({ ...member, rule, zone, crossing: null, count: 1 }));
  }

  #crowd(zone: string | null, members: readonly Member[], around: Surroundings): FiringFacts[] {
    const told = this.#told.get(zone) ?? new Set();
    const newest = members.findLast(({ object }) => around.isSeen(object.track.id));
    if (members.length < this.rule.count && !this.#isGathering) told.clear();
    if (members.length < this.rule.count || told.size > 0 || newest === undefined) return [];
    for (const { object } of members) told.add(object.track.id);
    const { rule } = this;
    return [{ rule, ...newest, zone, crossing: null, count: members.length }];
  }

  #members(around: Surroundings, zone: string | null, monoMs: number): Member[] {
    const members: Member[] = [];
    for (const object of around.present) {
      const sinceMs = this.#fits(object) ? around.sinceMs(object.track, zone) : null;
      if (sinceMs === null || monoMs - sinceMs < this.rule.durationMs) continue;
      const kmh = around.kmh(object.track, zone);
      const { minSpeedKmh } = this.rule;
      if (minSpeedKmh !== null && (kmh === null || kmh < minSpeedKmh)) continue;
      members.push({ object, presentMs: monoMs - sinceMs, kmh });
    }
    return members;
  }

  #fits({ track: { label, medianScore }, identity, isUnknown }: SeenObject): boolean {
    const { labels, minScore, identity: wanted } = this.rule;
    if (medianScore < minScore) return false;
    if (wanted !== null && !identityWords(identity, isUnknown).some((word) => wanted.has(word)))
      return false;
    return labels === null || labels.has(label) || labels.has(detectionType(label));
  }
}

function identityWords(identity: SeenObject['identity'], isUnknown: boolean): string[] {
  if (identity === null) return isUnknown ? ['unknown'] : [];
  return ['known', identity.threat_level, `person:${identity.person_id}`];
}

interface Member {
  readonly object: SeenObject;
  readonly presentMs: number;
  readonly kmh: number | null;
}
