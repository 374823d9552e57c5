import { randomBytes } from 'node:crypto';
import { Command, Option } from 'commander';
import { requestForget } from '../api/control-client.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { forgetOffline } from '../edge/forget-offline.ts';
import type { EnrolOptions } from '../people/enrol-face.ts';
import type { ForgetReport } from '../people/forgetter.ts';
import type { Gallery } from '../people/gallery.ts';
import type { Person } from '../people/person.ts';
import { newPerson } from '../people/person-input.ts';
import { THREAT_LEVELS } from '../protocol/payloads.ts';
import { systemClock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import { createLogger } from '../system/logging.ts';
import { type OpenFaceReader, openConfiguredFaceReader } from './face-reader.ts';
import { withGallery } from './gallery-access.ts';
import { configOption } from './options.ts';
import { enrol, eventSource, fileSources } from './people-enrol.ts';
import { exportCommand, importCommand } from './people-transfer.ts';
import { detailsOf, linesOf, shownOf } from './people-view.ts';

interface AddOptions {
  config: string;
  id: string;
  role: string;
  threatLevel: Person['threatLevel'];
  notes: string;
  consent?: string;
  expires?: string;
}

interface EnrolCommandOptions {
  config: string;
  event?: string;
  not: boolean;
  largest: boolean;
  photo: boolean;
}

const RANDOM_BYTES = 16;

/** @param openReader opens what reads faces; that of the configuration by default */
export function peopleCommand(openReader: OpenFaceReader = openConfiguredFaceReader): Command {
  return new Command('people')
    .description('whom the cameras are to recognise; a running daemon follows it within 2 s')
    .addCommand(addCommand())
    .addCommand(enrolCommand(openReader))
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(forgetCommand())
    .addCommand(exportCommand())
    .addCommand(importCommand());
}

function addCommand(): Command {
  return new Command('add')
    .description('add a person, still without a face; the id is printed')
    .argument('<name>', 'as alerts are to tell it')
    .option(
      '--id <slug>',
      'beginning of the id, which goes to the hub: better not a name',
      'person',
    )
    .option('--role <role>', 'what the person is here, such as tenant', '')
    .addOption(
      new Option('--threat-level <level>', 'what it means when they are seen')
        .choices(THREAT_LEVELS)
        .default('safe'),
    )
    .option('--notes <text>', 'for whoever looks them up', '')
    .option('--consent <day>', 'when they agreed, such as 2026-01-31')
    .option('--expires <day>', 'last day (UTC) on which they are recognised; forgotten after it')
    .addOption(configOption())
    .action((name: string, options: AddOptions) => {
      const person = personOf(name, options);
      const { config } = loadConfig(options.config, process.env);
      withGallery(config, (gallery) => gallery.put(person));
      console.log(person.personId);
    });
}

function enrolCommand(openReader: OpenFaceReader): Command {
  return new Command('enroll')
    .description('add faces to a person')
    .argument('<id>')
    .argument('[files...]', 'image files, each with the face of the person')
    .option('--event <event_id>', 'the face that was kept of an event')
    .option('--not', 'the face is of somebody else who was taken for this person', false)
    .option('--largest', 'where a picture has several faces, take the largest', false)
    .option('--photo', 'keep a small picture of the face too, encrypted', false)
    .addOption(configOption())
    .action(async (personId: string, files: string[], options: EnrolCommandOptions) => {
      const { event: eventId, not, largest, photo: keepPhoto } = options;
      if ((eventId === undefined) === (files.length === 0))
        throw new ApexError('PEOPLE_OPTION', 'give image files, or --event');
      const { config } = loadConfig(options.config, process.env);
      const sources =
        eventId === undefined
          ? fileSources(files)
          : [await eventSource(config.edge.data_dir, eventId)];
      const how: EnrolOptions = { kind: not ? 'negative' : 'positive', largest, keepPhoto };
      await withGallery(config, async (gallery) => {
        gallery.person(personId);
        const reader = await openReader(config);
        try {
          const isAll = await enrol(personId, sources, { gallery, reader, ...how });
          if (!isAll) process.exitCode = 1;
        } finally {
          await reader.close();
        }
      });
    });
}

function listCommand(): Command {
  return new Command('list')
    .description('everybody in the gallery')
    .option('--json', 'for programs', false)
    .addOption(configOption())
    .action(({ config: path, json }: { config: string; json: boolean }) => {
      const { config } = loadConfig(path, process.env);
      withGallery(config, (gallery) => {
        const shown = listed(gallery);
        if (json) console.log(JSON.stringify(shown, null, 2));
        else console.log(linesOf(shown).join('\n') || 'nobody');
        for (const { personId } of gallery.forgetting())
          console.error(`${personId} is gone from here; stored events are still being cleaned`);
      });
    });
}

/** Without the key at least the ids are told, by which everybody can be forgotten. */
function listed(gallery: Gallery): ReturnType<typeof shownOf> {
  try {
    return shownOf(gallery, systemClock.wallMs());
  } catch (error) {
    for (const personId of gallery.sampleCounts().keys()) console.error(personId);
    throw error;
  }
}

function showCommand(): Command {
  return new Command('show')
    .description('what is known of a person, and the faces')
    .argument('<id>')
    .option('--json', 'for programs', false)
    .addOption(configOption())
    .action((personId: string, { config: path, json }: { config: string; json: boolean }) => {
      const { config } = loadConfig(path, process.env);
      withGallery(config, (gallery) => {
        const { text, data } = detailsOf(gallery, personId, systemClock.wallMs());
        console.log(json ? JSON.stringify(data, null, 2) : text);
      });
    });
}

function forgetCommand(): Command {
  return new Command('forget')
    .description('remove a person: faces, photos, and id and name from every stored event')
    .argument('<id>')
    .addOption(configOption())
    .action(async (personId: string, { config: path }: { config: string }) => {
      const { config } = loadConfig(path, process.env);
      const { rows, faces, pictures } = await forget(personId, config);
      console.log(
        `${personId} is forgotten: ${rows} stored messages changed, ${faces} faces and ${pictures} other pictures and clips deleted`,
      );
      if (config.uplink.url !== undefined)
        console.log('The hub is told to do the same as soon as it can be reached.');
    });
}

/** By the daemon, which holds the store; without one by this process. */
async function forget(personId: string, config: Config): Promise<ForgetReport> {
  try {
    return await requestForget(config.edge.data_dir, personId);
  } catch (error) {
    if (!(error instanceof ApexError) || error.code !== 'API_NOT_RUNNING') throw error;
  }
  const log = createLogger({ name: 'people', level: 'warn' });
  return withGallery(config, (gallery) =>
    forgetOffline(personId, { config, gallery, clock: systemClock, log }),
  );
}

function personOf(name: string, options: AddOptions): Person {
  const { id: slug, role, threatLevel, notes, consent, expires } = options;
  const facts = {
    ...{ name, role, threatLevel, notes },
    consentDate: consent ?? null,
    expiryDate: expires ?? null,
  };
  return newPerson(facts, { slug, random: randomBytes(RANDOM_BYTES), nowMs: systemClock.wallMs() });
}
