import type { Log } from '#shared/telemetry/log.js';

/** Something that must be seen to again and again, whatever becomes of the queue. */
export interface UpkeepTask {
  name: string;
  everyMs: number;
  run(): Promise<void>;
}

/**
 * Runs each task at once and then at its interval, never twice at a time. Upkeep does not ride on the queue: part of it
 * is what brings a lost queue back (docs/decisions/upkeep-without-queue.md).
 */
export function startUpkeep(tasks: UpkeepTask[], log: Log): { stop(): Promise<void> } {
  const loops = tasks.map((task) => {
    let running: Promise<void> | null = null;
    const tick = (): void => {
      running ??= task
        .run()
        .catch((error: unknown) => log.error({ task: task.name, err: error }, 'upkeep failed; it is tried again'))
        .finally(() => {
          running = null;
        });
    };
    tick();
    const timer = setInterval(tick, task.everyMs);
    return { timer, current: () => running };
  });
  return {
    async stop() {
      for (const { timer } of loops) clearInterval(timer);
      await Promise.all(loops.map(({ current }) => current()));
    },
  };
}
