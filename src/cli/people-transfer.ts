import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { loadConfig } from '../config/load.ts';
import { readExport, writeExport } from '../people/export-file.ts';
import { type Merged, mergeInto } from '../people/merge.ts';
import { writeFileAtomically } from '../system/atomic-file.ts';
import { systemClock } from '../system/clock.ts';
import { ApexError } from '../system/errors.ts';
import { registerSecret } from '../system/redact.ts';
import { withGallery } from './gallery-access.ts';
import { configOption } from './options.ts';

interface TransferOptions {
  config: string;
  passphraseFile: string;
}

const SHORTEST_PASSPHRASE = 12;
const OWNER_ONLY = 0o600;

const OUTCOMES: Readonly<Record<Merged['outcome'], string>> = {
  added: 'added',
  updated: 'updated',
  unchanged: 'unchanged',
  expired: 'left out: their time is over',
  being_forgotten: 'left out: they are being forgotten',
};

export function exportCommand(): Command {
  return new Command('export')
    .description('write everybody, with faces and photos, to one encrypted file')
    .argument('<file>', 'is replaced where it is there')
    .addOption(passphraseOption())
    .addOption(configOption())
    .action(async (file: string, { config: path, passphraseFile }: TransferOptions) => {
      const { config } = loadConfig(path, process.env);
      const passphrase = passphraseIn(passphraseFile);
      const people = withGallery(config, (gallery) =>
        gallery.people().map((person) => ({ person, samples: gallery.samples(person.personId) })),
      );
      await writeFileAtomically(file, writeExport(people, passphrase), OWNER_ONLY);
      console.log(`${people.length} people written to ${file}`);
    });
}

export function importCommand(): Command {
  return new Command('import')
    .description('take people over from a file of `people export`, by their ids')
    .argument('<file>')
    .addOption(passphraseOption())
    .addOption(configOption())
    .action((file: string, { config: path, passphraseFile }: TransferOptions) => {
      const { config } = loadConfig(path, process.env);
      const people = readExport(textOf(file), passphraseIn(passphraseFile));
      const merged = withGallery(config, (gallery) =>
        mergeInto(gallery, people, systemClock.wallMs()),
      );
      for (const { personId, outcome, newSamples } of merged)
        console.log(
          `${personId}: ${OUTCOMES[outcome]}${newSamples > 0 ? `, ${newSamples} ${newSamples === 1 ? 'face' : 'faces'}` : ''}`,
        );
    });
}

function passphraseOption(): Option {
  return new Option(
    '--passphrase-file <file>',
    'file whose first line is the passphrase',
  ).makeOptionMandatory();
}

function passphraseIn(path: string): string {
  const [line = ''] = textOf(path).split(/\r?\n/, 1);
  if (line.length < SHORTEST_PASSPHRASE)
    throw new ApexError(
      'PEOPLE_OPTION',
      `the first line of ${path} is shorter than ${SHORTEST_PASSPHRASE} characters`,
    );
  registerSecret(line);
  return line;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ApexError('PEOPLE_OPTION', `${path} cannot be read (${code})`, { cause });
  }
}
