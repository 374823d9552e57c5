import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A temperature sensor of the machine. */
export interface ThermalZone {
  /** The kernel's name of it, such as `cpu-thermal`. */
  readonly name: string;
  readonly celsius: number;
}

/** What a sensor that is switched off shows is not of this world. */
const BELIEVABLE = { from: -40, to: 150 } as const;

/**
 * The temperatures that the kernel tells. A sensor that cannot be read, as those of parts that are powered off, is
 * left out; none where there is no such folder.
 * @param folder `/sys/class/thermal`
 */
export async function thermalZones(folder: string): Promise<ThermalZone[]> {
  const names = await readdir(folder).catch(() => []);
  const zones = await Promise.all(
    names
      .filter((name) => /^thermal_zone\d+$/.test(name))
      .map((name) => zoneOf(join(folder, name))),
  );
  return zones.filter((zone) => zone !== null);
}

async function zoneOf(folder: string): Promise<ThermalZone | null> {
  try {
    const [type, temp] = await Promise.all([
      readFile(join(folder, 'type'), 'utf8'),
      readFile(join(folder, 'temp'), 'utf8'),
    ]);
    const celsius = Number.parseInt(temp, 10) / 1000;
    const isBelievable = celsius > BELIEVABLE.from && celsius < BELIEVABLE.to;
    return isBelievable ? { name: type.trim(), celsius } : null;
  } catch {
    // Powered off, or gone meanwhile: the others are what there is to know.
    return null;
  }
}
