import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Visitor } from '../access/visitor.ts';
import type { LivePictures } from '../live-pictures.ts';
import { PictureStream, STREAM_TYPE } from './picture-stream.ts';
import { ApiProblem } from './problem.ts';

export interface LiveStreamsOptions {
  readonly pictures: LivePictures;
  /** Whoever reads is there: their time begins anew. */
  readonly progressed: (response: ServerResponse) => void;
}

interface StreamOrder {
  readonly visitor: Visitor;
  readonly cameras: readonly string[];
  /** Pixels. */
  readonly maxWidth: number;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

interface OpenStream {
  readonly visitor: Visitor;
  readonly response: ServerResponse;
  readonly stream: PictureStream;
}

/** All that one box serves at a time, and of these one visitor's. */
const MOST = 64;
const MOST_OF_ONE = 32;

/** Live pictures on their way to whoever looks on. */
export class LiveStreams {
  readonly #options: LiveStreamsOptions;
  readonly #open = new Set<OpenStream>();

  constructor(options: LiveStreamsOptions) {
    this.#options = options;
  }

  /** @throws ApiProblem too_many_requests */
  open({ visitor, cameras, maxWidth, reply }: StreamOrder): FastifyReply {
    this.#checkRoom(visitor);
    const { pictures, progressed } = this.#options;
    const { raw: response } = reply;
    const stream = new PictureStream(() => progressed(response));
    const opened = { visitor, response, stream };
    this.#open.add(opened);
    const ends = cameras.map((id) =>
      pictures.watch(id, maxWidth, (picture) => stream.picture(picture)),
    );
    stream.once('close', () => {
      this.#open.delete(opened);
      for (const end of ends) end();
    });
    return reply.type(STREAM_TYPE).header('X-Accel-Buffering', 'no').send(stream);
  }

  /** To be called about every second: ends what its visitor may no longer see, and keeps the rest. */
  tick(isGood: (visitor: Visitor) => boolean): void {
    for (const { visitor, response, stream } of this.#open) {
      if (!isGood(visitor)) stream.destroy();
      // A camera may have no picture for long; who takes what there is, is there.
      else if (response.writableLength === 0) this.#options.progressed(response);
    }
  }

  close(): void {
    for (const { stream } of this.#open) stream.destroy();
  }

  #checkRoom({ name }: Visitor): void {
    const own = [...this.#open].filter(({ visitor }) => visitor.name === name).length;
    if (this.#open.size < MOST && own < MOST_OF_ONE) return;
    throw new ApiProblem('too_many_requests', { detail: 'too many live streams are open' });
  }
}
