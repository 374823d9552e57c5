import { Command } from 'commander';
import { configJsonSchema } from '../config/json-schema.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { checkSecrets } from '../config/secret-problems.ts';
import { configOption } from './options.ts';

export function configCommand(): Command {
  const command = new Command('config').description(
    'check a configuration file, or print its schema',
  );
  command
    .command('check')
    .description('read the file as the daemon would and name every problem with its line')
    .addOption(configOption())
    .action((options: { config: string }) => {
      const loaded = loadConfig(options.config, process.env);
      const problems = [...loaded.problems, ...checkSecrets(loaded, process.env)];
      for (const problem of problems) console.log(formatProblem(problem, options.config));
      const cameras = Object.keys(loaded.config.cameras).length;
      const disabled = loaded.cameraFaults.size;
      console.log(
        `${options.config}: ${cameras} cameras can run, ${disabled} are disabled by mistakes`,
      );
      if (problems.some(({ severity }) => severity === 'error')) process.exitCode = 1;
    });
  command
    .command('schema')
    .description('print the JSON Schema of the configuration, for editors')
    .action(() => console.log(JSON.stringify(configJsonSchema(), null, 2)));
  return command;
}
