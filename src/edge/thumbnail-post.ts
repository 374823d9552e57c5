import type { DailyAllowance } from '../evidence/upstream/daily-allowance.ts';
import {
  type AlertThumbnail,
  type AlertTriggered,
  MAX_THUMBNAIL_CHARACTERS,
} from '../protocol/payloads.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import type { Logger } from '../system/logger.ts';
import { StoreWrites } from './store-writes.ts';

export interface ThumbnailPostDeps {
  readonly store: Pick<Store, 'enqueue'>;
  readonly allowance: DailyAllowance;
  /** There is a hub, and thumbnails are to be sent to it. */
  readonly isEnabled: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A picture as it goes to the hub. */
export interface Thumbnail {
  readonly jpeg: Uint8Array;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** Thumbnails of alerts on their way to the hub, behind their alerts and within the daily allowance. */
export class ThumbnailPost {
  readonly #deps: ThumbnailPostDeps;
  readonly #writes: StoreWrites;
  #sent = 0;
  #withheld = 0;
  /** Day of which it was told that its allowance is spent. */
  #toldUntilMs = 0;

  constructor(deps: ThumbnailPostDeps) {
    this.#deps = deps;
    this.#writes = new StoreWrites(deps.log);
  }

  /** Since the start: given to the store, and not sent for want of an allowance. */
  get counts(): { readonly sent: number; readonly withheld: number } {
    return { sent: this.#sent, withheld: this.#withheld };
  }

  /** @param alert that has an id and exactly one camera; another one has no thumbnail */
  send(alert: AlertTriggered, { jpeg, width, height }: Thumbnail): void {
    const { store, allowance, isEnabled, clock } = this.#deps;
    const { alert_id, camera_id, timestamp } = alert;
    if (!isEnabled || alert_id === undefined || camera_id === undefined) return;
    const text = Buffer.from(jpeg).toString('base64');
    if (text.length > MAX_THUMBNAIL_CHARACTERS || !allowance.take(text.length)) {
      this.#withheld++;
      this.#tellWithheld(text.length);
      return;
    }
    const { event_id } = alert.data;
    const data: AlertThumbnail = {
      ...{ alert_id, camera_id, timestamp, width, height, jpeg: text },
      ...(typeof event_id === 'string' && { event_id }),
    };
    const at = { wallMs: timestamp, monoMs: clock.monotonicMs() };
    this.#sent++;
    this.#writes.run('thumbnail', () =>
      store.enqueue([{ type: 'alert_thumbnail', cameraId: camera_id, data, ...at }]),
    );
  }

  /** Resolves when the store has answered to everything so far. */
  async settled(): Promise<void> {
    await this.#writes.settled();
  }

  #tellWithheld(characters: number): void {
    const { allowance, clock, log } = this.#deps;
    if (clock.wallMs() < this.#toldUntilMs) return;
    this.#toldUntilMs = allowance.renewsAtMs;
    const until = new Date(allowance.renewsAtMs).toISOString();
    log.warn(
      { bytes: characters, sent_today: allowance.taken, renews_at: until },
      'the thumbnail of an alert is kept here and not sent: the daily allowance is spent',
    );
  }
}
