import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { EvidenceClass } from '../evidence/evidence-files.ts';
import type { Journal } from '../journal/journal.ts';
import type { LiveEvents } from '../live/live-events.ts';
import type { ForgetReport } from '../people/forgetter.ts';
import type { GalleryService } from '../people/service/gallery-service.ts';
import type {
  ConfigAnswer,
  ConfigChanged,
  ConfigVersion,
  Rules,
  Zones,
} from '../protocol/local-api/configuration.ts';
import type { LogLevel } from '../system/relayed-logger.ts';
import type { StreamRequestHandler } from '../uplink/stream-orders.ts';
import type { DeadLetterView, EdgeStatus } from './edge-status.ts';
import type { LivePictures } from './live-pictures.ts';

/** What the local API needs of the box that it speaks for. */
export interface LocalBox {
  readonly edgeId: string;
  status(): Promise<EdgeStatus>;
  /** For Prometheus. */
  metrics(): Promise<string>;
  deadLetters(): Promise<DeadLetterView[]>;
  readonly journal: Pick<Journal, 'history' | 'review'>;
  readonly evidence: {
    /** A file for reading, to be closed; null where there is none. */
    open(kind: EvidenceClass, cameraId: string, id: string): Promise<FileHandle | null>;
    /** Whether the clip of an alert is still to come. */
    isAwaited(cameraId: string, alertId: string): boolean;
  };
  readonly cameras: {
    /** @throws ApexError as `CameraSet.start` does */
    start(request: { readonly cameraId: string }): Promise<unknown>;
    /** @throws ApexError CAMERA_UNKNOWN */
    stop(cameraId: string): Promise<void>;
  };
  readonly pictures: LivePictures;
  /** What the box tells, for `/ws`. */
  readonly events: LiveEvents;
  /** Of viewers at `/ws`. */
  readonly requests: StreamRequestHandler;
  readonly people: {
    /** @throws ApexError as `GalleryService.call` does */
    call: GalleryService['call'];
    /** @throws ApexError PEOPLE_UNKNOWN, PEOPLE_FORGETTING */
    forget(personId: string): Promise<ForgetReport>;
    /** JPEG; null where none is kept. */
    faceOfEvent(cameraId: string, eventId: string): Promise<Uint8Array | null>;
  };
  readonly configuration: BoxConfiguration;
  /** @throws ApexError MODEL_INDEX_DAMAGED */
  models(): Promise<ModelView[]>;
  readonly logs: {
    /** Lines of at least that level, the oldest first. */
    newest(most: number, level: LogLevel): Record<string, unknown>[];
  };
  /** What support needs, without secrets: a gzipped tar archive. */
  supportBundle(): Promise<{ readonly name: string; readonly body: Readable }>;
}

/** How a change of the configuration is to be made. */
export interface ConfigChangeOrder {
  readonly by: string;
  /** Of the file that the change was made from; absent for whatever it is. */
  readonly etag?: string | undefined;
  /** Says what is wrong, and changes nothing. */
  readonly isDryRun: boolean;
}

/** The configuration file, read and changed at run time. All throw CONFIG_NOT_FOUND, CONFIG_UNREADABLE. */
export interface BoxConfiguration {
  /** @throws ApexError CAMERA_UNKNOWN */
  zones(cameraId: string): Promise<Zones & { etag: string }>;
  /** @throws ApexError CAMERA_UNKNOWN, CONFIG_INVALID, CONFIG_CHANGED, CONFIG_READ_ONLY */
  putZones(cameraId: string, zones: Zones, order: ConfigChangeOrder): Promise<ConfigChanged>;
  rules(): Promise<{ rules: Rules; etag: string }>;
  /** @throws ApexError CONFIG_INVALID, CONFIG_CHANGED, CONFIG_READ_ONLY */
  putRules(rules: Rules, order: ConfigChangeOrder): Promise<ConfigChanged>;
  /** Without secrets. */
  current(): Promise<ConfigAnswer>;
  versions(): Promise<ConfigVersion[]>;
  /** Its text, without secrets. @throws ApexError CONFIG_VERSION_UNKNOWN */
  version(id: string): Promise<string>;
  /** @throws ApexError CONFIG_VERSION_UNKNOWN, CONFIG_INVALID, CONFIG_READ_ONLY */
  restore(id: string, order: Pick<ConfigChangeOrder, 'by'>): Promise<ConfigChanged>;
}

export interface ModelView {
  name: string;
  purpose: string;
  licence: string;
  is_installed: boolean;
  is_in_use: boolean;
}
