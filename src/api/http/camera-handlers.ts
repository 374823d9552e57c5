import type { FastifyReply } from 'fastify';
import { maySee, type Visitor } from '../access/visitor.ts';
import type { CameraView } from '../edge-status.ts';
import type { LocalBox } from '../local-box.ts';
import type { Call, Handlers } from './handlers.ts';
import type { LiveStreams } from './live-streams.ts';
import { ApiProblem } from './problem.ts';

type Keys =
  | 'GET /api/cameras'
  | 'GET /api/cameras/:camera_id'
  | 'POST /api/cameras/:camera_id/start'
  | 'POST /api/cameras/:camera_id/stop'
  | 'GET /api/cameras/:camera_id/latest.jpg'
  | 'GET /api/cameras/:camera_id/live.mjpeg'
  | 'GET /api/live.mjpeg';

type Box = Pick<LocalBox, 'status' | 'cameras' | 'pictures'>;

/** Cameras: how they do, what they see, and whether they are watched. */
export function cameraHandlers(box: Box, streams: LiveStreams): Handlers<Keys> {
  return { ...stateOfCameras(box), ...picturesOfCameras(box, streams) };
}

function stateOfCameras(box: Box) {
  return {
    'GET /api/cameras': async ({ visitor }: Call<'GET /api/cameras'>) => ({
      cameras: await camerasOf(box, visitor),
    }),
    'GET /api/cameras/:camera_id': async ({ path, visitor }: Call<'GET /api/cameras/:camera_id'>) =>
      cameraOf(box, path.camera_id, visitor),
    'POST /api/cameras/:camera_id/start': async ({
      path,
      visitor,
    }: Call<'POST /api/cameras/:camera_id/start'>) => {
      await cameraOf(box, path.camera_id, visitor);
      await box.cameras.start({ cameraId: path.camera_id });
      return cameraOf(box, path.camera_id, visitor);
    },
    'POST /api/cameras/:camera_id/stop': async ({
      path,
      visitor,
    }: Call<'POST /api/cameras/:camera_id/stop'>) => {
      const before = await cameraOf(box, path.camera_id, visitor);
      await box.cameras.stop(path.camera_id);
      const after = await camerasOf(box, visitor);
      // One that was given with its address is forgotten with it.
      const gone = { ...before, state: 'stopped' as const };
      return after.find(({ camera_id: id }) => id === path.camera_id) ?? gone;
    },
  };
}

function picturesOfCameras(box: Box, streams: LiveStreams) {
  const open = async (
    { visitor, request, reply }: Pick<Call<'GET /api/live.mjpeg'>, 'visitor' | 'request' | 'reply'>,
    cameras: readonly string[],
    maxWidth: number,
  ): Promise<FastifyReply> => streams.open({ visitor, cameras, maxWidth, request, reply });
  return {
    'GET /api/cameras/:camera_id/latest.jpg': async ({
      path,
      query,
      visitor,
      reply,
    }: Call<'GET /api/cameras/:camera_id/latest.jpg'>) => {
      const { camera_id: id } = await cameraOf(box, path.camera_id, visitor);
      const picture = await box.pictures.latest(id, query.max_width);
      if (picture === null)
        throw new ApiProblem('unavailable', { detail: 'no picture of this camera comes in now' });
      return reply
        .type('image/jpeg')
        .headers({
          'X-Apex-Frame-Id': String(picture.frameId),
          'X-Apex-Timestamp': String(Math.round(picture.wallMs)),
        })
        .send(picture.jpeg);
    },
    'GET /api/cameras/:camera_id/live.mjpeg': async (
      call: Call<'GET /api/cameras/:camera_id/live.mjpeg'>,
    ) => {
      const { camera_id: id } = await cameraOf(box, call.path.camera_id, call.visitor);
      return open(call, [id], call.query.max_width);
    },
    'GET /api/live.mjpeg': async (call: Call<'GET /api/live.mjpeg'>) => {
      const seen = (await camerasOf(box, call.visitor)).map(({ camera_id: id }) => id);
      const { cameras, max_width: maxWidth } = call.query;
      const unknown = cameras?.find((id) => !seen.includes(id));
      if (unknown !== undefined)
        throw new ApiProblem('not_found', { detail: `there is no camera ${unknown}` });
      return open(call, cameras ?? seen, maxWidth);
    },
  };
}

async function camerasOf(box: Pick<LocalBox, 'status'>, visitor: Visitor): Promise<CameraView[]> {
  const { cameras } = await box.status();
  return cameras.filter(({ camera_id: id }) => maySee(visitor, id));
}

/** @throws ApiProblem not_found, also for a camera that the visitor may not see */
async function cameraOf(
  box: Pick<LocalBox, 'status'>,
  id: string,
  visitor: Visitor,
): Promise<CameraView> {
  const camera = (await camerasOf(box, visitor)).find(({ camera_id: own }) => own === id);
  if (camera === undefined)
    throw new ApiProblem('not_found', { detail: `there is no camera ${id}` });
  return camera;
}
