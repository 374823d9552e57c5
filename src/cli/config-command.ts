import { Command } from 'commander';
import { configJsonSchema } from '../config/json-schema.ts';
import { loadConfig } from '../config/load.ts';
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
      const { config, problems } = loadConfig(options.config, process.env);
      for (const problem of problems) console.log(problem.message);
      const cameras = Object.keys(config.cameras).length;
      console.log(`${options.config}: ${cameras} cameras, ${problems.length} problems`);
      if (problems.length > 0) process.exitCode = 1;
    });
  command
    .command('schema')
    .description('print the JSON Schema of the configuration, for editors')
    .action(() => console.log(JSON.stringify(configJsonSchema(), null, 2)));
  return command;
}
