import type { Config } from '../config/schema.ts';
import { Gallery } from '../people/gallery.ts';
import { keyPlace } from '../people/key-file.ts';

/** Opens the gallery for a piece of work, also one that takes a while. */
export function withGallery<Result>(config: Config, work: (gallery: Gallery) => Result): Result {
  const { data_dir: dataDir } = config.edge;
  const place = keyPlace(dataDir, config.people.key_file, process.env);
  const gallery = new Gallery(Gallery.pathIn(dataDir), place);
  let isUnderWay = false;
  try {
    const result = work(gallery);
    if (result instanceof Promise) {
      isUnderWay = true;
      return result.finally(() => gallery.close()) as Result;
    }
    return result;
  } finally {
    if (!isUnderWay) gallery.close();
  }
}
