/** Edges that are not connected and still remembered; their cameras are offline, not unknown. */
const MAX_ABSENT_EDGES = 4096;
/** Cameras of an edge that announces none. */
const MAX_OBSERVED = 256;

/** A camera that two edges have. The owner keeps it. */
export interface CameraConflict {
  readonly cameraId: string;
  readonly owner: string;
  readonly contender: string;
}

interface KnownEdge {
  cameras: Set<string>;
  isAnnounced: boolean;
  /** Conflicts have been told since it came. */
  isTold: boolean;
}

/**
 * Which edge has which camera. A camera belongs to the edge that was first to announce it, or to deliver messages of
 * it, until that edge announces a list without it; then it goes to the next one that has it. Pure.
 */
export class CameraDirectory {
  readonly #edges = new Map<string, KnownEdge>();
  /** Edges that have a camera, in the order in which they came: the first one owns it. */
  readonly #holders = new Map<string, string[]>();
  /** The one that is away for longest comes first. */
  readonly #absent = new Set<string>();

  join(edgeId: string): void {
    const edge = this.#edgeOf(edgeId);
    edge.isTold = false;
    this.#absent.delete(edgeId);
  }

  leave(edgeId: string): void {
    this.#absent.add(edgeId);
    if (this.#absent.size > MAX_ABSENT_EDGES) this.#forgetFirst();
  }

  /** All cameras that an edge has now. Returns conflicts that are new with it, and all when the edge is. */
  announce(edgeId: string, cameraIds: readonly string[]): CameraConflict[] {
    const edge = this.#edgeOf(edgeId);
    const now = new Set(cameraIds);
    for (const id of edge.cameras) if (!now.has(id)) this.#drop(edgeId, id);
    const added = [...now].filter((cameraId) => !edge.cameras.has(cameraId));
    for (const cameraId of added) this.#hold(edgeId, cameraId);
    const toTell = edge.isTold ? added : [...now];
    edge.cameras = now;
    edge.isAnnounced = true;
    edge.isTold = true;
    return toTell.flatMap((cameraId) => this.#conflictOf(cameraId, edgeId));
  }

  /** Whether messages say what cameras an edge has, since it does not. */
  isObserved(edgeId: string): boolean {
    return this.#edges.get(edgeId)?.isAnnounced !== true;
  }

  /** A message of a camera came from an edge. Counts for edges that announce nothing: first come. */
  observe(edgeId: string, cameraId: string): void {
    const edge = this.#edgeOf(edgeId);
    if (edge.isAnnounced || edge.cameras.has(cameraId)) return;
    if (edge.cameras.size >= MAX_OBSERVED || this.#holders.has(cameraId)) return;
    edge.cameras.add(cameraId);
    this.#hold(edgeId, cameraId);
  }

  ownerOf(cameraId: string): string | undefined {
    return this.#holders.get(cameraId)?.[0];
  }

  knows(edgeId: string): boolean {
    return this.#edges.has(edgeId);
  }

  get size(): number {
    return this.#holders.size;
  }

  /** Cameras that more than one edge has. */
  get contested(): number {
    let count = 0;
    for (const holders of this.#holders.values()) if (holders.length > 1) count++;
    return count;
  }

  #edgeOf(edgeId: string): KnownEdge {
    const known = this.#edges.get(edgeId);
    if (known !== undefined) return known;
    const edge = {
      cameras: new Set<string>(),
      isAnnounced: false,
      isPresent: false,
      isTold: false,
    };
    this.#edges.set(edgeId, edge);
    return edge;
  }

  #conflictOf(cameraId: string, edgeId: string): CameraConflict[] {
    const [owner, second] = this.#holders.get(cameraId) ?? [];
    if (owner === undefined || second === undefined) return [];
    return [{ cameraId, owner, contender: owner === edgeId ? second : edgeId }];
  }

  #hold(edgeId: string, cameraId: string): void {
    this.#holders.set(cameraId, [...(this.#holders.get(cameraId) ?? []), edgeId]);
  }

  #drop(edgeId: string, cameraId: string): void {
    const left = (this.#holders.get(cameraId) ?? []).filter((holder) => holder !== edgeId);
    if (left.length === 0) this.#holders.delete(cameraId);
    else this.#holders.set(cameraId, left);
  }

  #forgetFirst(): void {
    const [edgeId = ''] = this.#absent;
    for (const cameraId of this.#edges.get(edgeId)?.cameras ?? []) this.#drop(edgeId, cameraId);
    this.#absent.delete(edgeId);
    this.#edges.delete(edgeId);
  }
}
