/** The project's own RTSP camera, see scripts/rtsp-camera.mjs. */
export { loadClip, RtspCamera } from '../../scripts/rtsp-camera.mjs';
