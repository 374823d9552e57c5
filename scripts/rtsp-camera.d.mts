export interface Faults {
  stall: boolean;
  frozen: boolean;
  refuse: number;
  dropRate: number;
  corruptRate: number;
  closeAfterMs: number;
  delayDescribeMs: number;
  timestampOffsetMs: number;
}

export interface Clip {
  readonly durationMs: number;
  readonly units: readonly { readonly ptsMs: number; readonly key: boolean }[];
}

export interface MountOptions {
  loop?: boolean;
  wallclock?: boolean;
  /** Unix time at which the clip was at its start. */
  startAtMs?: number;
}

export declare function loadClip(file: string): Promise<Clip>;

export declare class RtspCamera {
  readonly faults: Faults;
  auth: { user: string; password: string; digest?: boolean } | null;
  constructor(options?: {
    auth?: { user: string; password: string; digest?: boolean } | null;
    tls?: { key: string | Buffer; cert: string | Buffer };
  });
  addMount(name: string, clip: Clip, options?: MountOptions): void;
  get clients(): number;
  listen(port?: number, host?: string): Promise<number>;
  kickAll(): void;
  close(): Promise<void>;
}
