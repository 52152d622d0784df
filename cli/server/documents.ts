import { z } from 'zod';
import type { Server } from './client.js';

// Pieces of what a server answers: as much as commands read. The rest is shown as it came.

/** Every list: design.md, small print "Lists". */
export function page<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}

export const person = z.object({ id: z.string().nullable(), email: z.string().nullable() });

const overview = z.object({ workerAlive: z.boolean() });

/** Is a worker running there? */
export async function isWorkerAliveAt(server: Server): Promise<boolean> {
  return (await server.get('/overview', overview)).workerAlive;
}
