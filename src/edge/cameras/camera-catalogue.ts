import type { CameraSpec } from '../../capture/contract.ts';
import { cameraId as cameraName } from '../../config/camera-schema.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { ApexError } from '../../system/errors.ts';
import { cameraSpec, givenCameraSpec } from '../vision-spec.ts';
import { isSameAddress, isSamePlace } from './stream-address.ts';

export interface CameraCatalogueDeps {
  loaded: LoadedConfig;
  env: NodeJS.ProcessEnv;
  /** Asked before an address that was given upstream is opened, also after a restart. @throws ApexError */
  checkAddress?: ((url: string) => void) | undefined;
}

/** What a camera of a name is: the configuration decides for the names that it has, and else the address given. */
export class CameraCatalogue {
  readonly #deps: CameraCatalogueDeps;

  constructor(deps: CameraCatalogueDeps) {
    this.#deps = deps;
  }

  isConfigured(cameraId: string): boolean {
    const { config, cameraFaults } = this.#deps.loaded;
    return Object.hasOwn(config.cameras, cameraId) || cameraFaults.has(cameraId);
  }

  /**
   * One of the configuration that was refused at the start, such as for a missing file, is looked at again.
   * @throws ApexError CAMERA_UNKNOWN, CAMERA_NAME_INVALID, CAMERA_DISABLED, CAMERA_ADDRESS_DIFFERS, or what is wrong with the configuration
   *   or the address
   */
  find(cameraId: string, url: string | undefined): CameraSpec {
    const { loaded, env, checkAddress } = this.#deps;
    const { config, cameraFaults } = loaded;
    const fault = cameraFaults.get(cameraId);
    if (fault !== undefined) throw fault;
    if (Object.hasOwn(config.cameras, cameraId)) {
      const spec = this.#configured(cameraId);
      checkSameAddress(spec, url, true);
      return spec;
    }
    if (url === undefined) throw unknownCamera(cameraId);
    checkName(cameraId);
    checkAddress?.(url);
    return givenCameraSpec(cameraId, url, config, env);
  }

  #configured(cameraId: string): CameraSpec {
    const { loaded, env } = this.#deps;
    const camera = loaded.config.cameras[cameraId];
    if (camera === undefined) throw unknownCamera(cameraId);
    if (!camera.enabled) {
      throw new ApexError('CAMERA_DISABLED', `${cameraId} is switched off on this edge`);
    }
    return cameraSpec(cameraId, camera, loaded.config, env);
  }
}

/** @throws ApexError CAMERA_ADDRESS_DIFFERS when the address leads elsewhere than the camera's */
export function checkSameAddress(
  { id, source }: CameraSpec,
  url: string | undefined,
  isConfigured: boolean,
): void {
  if (url === undefined) return;
  const isSame = isConfigured ? isSamePlace : isSameAddress;
  if (source.kind === 'rtsp' && isSame(url, source.url)) return;
  throw new ApexError('CAMERA_ADDRESS_DIFFERS', `${id} has another address on this edge`);
}

/** A camera given upstream keeps to the rule of the configuration: its name is part of files and addresses. */
function checkName(cameraId: string): void {
  const [issue] = cameraName.safeParse(cameraId).error?.issues ?? [];
  if (issue !== undefined)
    throw new ApexError('CAMERA_NAME_INVALID', `the camera cannot be added: not ${issue.message}`);
}

export function unknownCamera(cameraId: string): ApexError {
  return new ApexError('CAMERA_UNKNOWN', `this edge has no camera ${cameraId}`);
}
