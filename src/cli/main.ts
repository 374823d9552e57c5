#!/usr/bin/env node
import { Command } from 'commander';
import { packageVersion } from '../system/package-info.ts';
import { accessCommand } from './access-command.ts';
import { configCommand } from './config-command.ts';
import { detectCommand } from './detect-command.ts';
import { exitWith } from './exit.ts';
import { hubCommand } from './hub-command.ts';
import { metricsCommand } from './metrics-command.ts';
import { modelsCommand } from './models-command.ts';
import { peopleCommand } from './people-command.ts';
import { queueCommand } from './queue-command.ts';
import { runCommand } from './run-command.ts';
import { statusCommand } from './status-command.ts';
import { tailCommand } from './tail-command.ts';
import { tokensCommand } from './tokens-command.ts';

const program = new Command('apex-edge')
  .description(
    'Cameras in, detections at the hub: the daemon for camera-site boxes and its upstream hub.',
  )
  .version(packageVersion())
  .showHelpAfterError('(apex-edge --help lists the commands)')
  .addCommand(runCommand())
  .addCommand(statusCommand())
  .addCommand(queueCommand())
  .addCommand(metricsCommand())
  .addCommand(hubCommand())
  .addCommand(tailCommand())
  .addCommand(detectCommand())
  .addCommand(modelsCommand())
  .addCommand(configCommand())
  .addCommand(accessCommand())
  .addCommand(tokensCommand())
  .addCommand(peopleCommand());

program.parseAsync().catch(exitWith);
