import type { CameraFault, CameraSpec, CameraStatus } from '../capture/contract.ts';
import type { ToVision } from './contract.ts';
import type { FleetMemory } from './fleet-memory.ts';

/** The cameras that the vision process is to watch, whichever process that is. Pure. */
export class CameraRoster {
  readonly #memory: FleetMemory;
  #cameras: readonly CameraSpec[] = [];

  /** @param memory what is known of them, over the lives of several processes */
  constructor(memory: FleetMemory) {
    this.#memory = memory;
  }

  /** These, and no others. */
  begin(cameras: readonly CameraSpec[]): void {
    this.#cameras = cameras;
  }

  /** Its id must be free. */
  add(camera: CameraSpec): void {
    this.#cameras = [...this.#cameras, camera];
  }

  remove(cameraId: string): void {
    this.#cameras = this.#cameras.filter(({ id }) => id !== cameraId);
  }

  change(camera: CameraSpec): void {
    this.#cameras = this.#cameras.map((each) => (each.id === camera.id ? camera : each));
  }

  /** What a new process begins with. What has been played to its end, or given up, is not begun again. */
  get toStart(): Pick<ToVision & { kind: 'start' }, 'cameras' | 'hints'> {
    return { cameras: this.#going, hints: this.#memory.hints() };
  }

  /** The process has ended: how its cameras are until the next one. */
  down(at: {
    sinceMonoMs: number;
    retryAtMonoMs: number;
    fault: CameraFault | null;
  }): CameraStatus[] {
    return this.#going.map(({ id }) => this.#memory.down(id, at));
  }

  get #going(): CameraSpec[] {
    return this.#cameras.filter(({ id }) => !this.#memory.isOver(id));
  }
}
