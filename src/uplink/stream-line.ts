import type { ServerFrame } from '../protocol/frames.ts';
import type { Now } from './dialect/batch-frame.ts';
import type { Dialect, Payload } from './dialect/dialect.ts';
import type { StreamOrder, StreamOrders } from './stream-orders.ts';

type OrderFrame = Extract<
  ServerFrame,
  { type: 'start_stream_processing' | 'stop_stream_processing' | 'change_stream_processing' }
>;

const KINDS: Readonly<Record<OrderFrame['type'], StreamOrder['kind']>> = {
  start_stream_processing: 'start',
  stop_stream_processing: 'stop',
  change_stream_processing: 'change',
};

export interface StreamLineOptions {
  readonly orders: StreamOrders;
  readonly dialect: Dialect;
  readonly send: (payload: Payload) => void;
  readonly now: () => Now;
}

/** Stream requests on one connection: orders come in, answers and the list of cameras go out. */
export class StreamLine {
  readonly #options: StreamLineOptions;
  #isOver = false;

  constructor(options: StreamLineOptions) {
    this.#options = options;
  }

  onOrder(frame: OrderFrame): void {
    const { orders, dialect, send, now } = this.#options;
    const order = orderOf(frame);
    void orders.carryOut(frame.request_id, order).then((answer) => {
      // Whoever asks again gets the same answer on the next connection.
      if (this.#isOver) return;
      this.tellCameras();
      const payload = dialect.streamAnswer(frame.request_id, order, answer, now());
      if (payload !== null) send(payload);
    });
  }

  /** Announces the cameras where the hub does not know them as they are now. */
  tellCameras(): void {
    const { orders, dialect, send, now } = this.#options;
    const payload = dialect.cameras(orders.cameras(), now());
    if (payload !== null) send(payload);
  }

  end(): void {
    this.#isOver = true;
  }
}

function orderOf(frame: OrderFrame): StreamOrder {
  const kind = KINDS[frame.type];
  const { camera_id: cameraId } = frame.data;
  if (frame.type === 'stop_stream_processing') return { kind, cameraId };
  const { quality } = frame.data;
  if (frame.type === 'change_stream_processing') return { kind, cameraId, quality };
  return { kind, cameraId, url: frame.data.rtsp_url, quality };
}
