import { z } from 'zod';
import { fileOfSecret } from './schema-parts.ts';

export const peopleSchema = z.strictObject({
  key_file: fileOfSecret.optional().meta({
    title: 'File of the key',
    description:
      'Key that what is known of people is encrypted with: an absolute path, or the name of a systemd credential. When left out, keys/people.key in `edge.data_dir`, made when the first person is added.',
  }),
});
