import { type LoadedConfig, loadConfig } from '#shared/config/load.js';

/** @throws ConfigError with a line for each mistake */
export function configOf(options: { config: string | undefined }): LoadedConfig {
  return loadConfig({ path: options.config, env: process.env });
}
