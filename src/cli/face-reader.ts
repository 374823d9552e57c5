import type { Config } from '../config/schema.ts';
import type { FaceReader } from '../faces/contract.ts';
import { ApexError } from '../system/errors.ts';

/** Opens what finds and describes faces, with the models that the configuration names. */
export type OpenFaceReader = (config: Config) => Promise<FaceReader>;

/**
 * SEAM: to be connected to the reader of `src/faces` (`openFaceReader`), the only place that names it. Until then there
 * is none, and enrolling says so.
 * @throws ApexError PEOPLE_READER_MISSING
 */
export const openConfiguredFaceReader: OpenFaceReader = async () => {
  throw new ApexError('PEOPLE_READER_MISSING', 'this version has no model that reads faces');
};
