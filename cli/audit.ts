import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { newestCheckpoint } from '#shared/audit/checkpoint.js';
import { type ExportFormat, exportAudit } from '#shared/audit/export.js';
import { loadSigningKey, type Signer } from '#shared/audit/signing-key.js';
import { type VerifyResult, verifyExport } from '#shared/audit/verify.js';
import type { Environment } from '#shared/config/environment.js';
import { exitCodes, print } from './output.js';
import { commonOptions, environmentNow, withDatabase } from './session.js';

interface ExportFlags {
  format: ExportFormat;
  since?: Date;
  until?: Date;
}

export function addAudit(program: Command): void {
  const audit = program.command('audit').description('the evidence: what was decided and done, for whom, and why');

  audit
    .command('export')
    .description('write the audit trail to stdout; JSONL ends with a signed checkpoint and can be verified')
    .addOption(new Option('--format <format>').choices(['jsonl', 'csv', 'ocsf']).default('jsonl'))
    .option('--since <time>', 'from this time on (RFC 3339)', instant)
    .option('--until <time>', 'up to this time (RFC 3339)', instant)
    .action(async ({ format, since, until }: ExportFlags) => {
      const environment = environmentNow();
      const signer = await findSigner(environment);
      await withDatabase(environment, async ({ db }) => {
        for await (const chunk of exportAudit(db, { format, since: since ?? null, until: until ?? null, signer })) {
          await toStdout(chunk);
        }
      });
    });

  audit
    .command('verify')
    .description('is the trail whole and untouched? Of an export, offline; without --file, of the database')
    .option('--file <file>', 'an export in JSONL')
    .option('--public-key <base64>', 'the key it must be signed with (otherwise the one at hand, or the one it names)')
    .action(async ({ file, publicKey }: { file?: string; publicKey?: string }, command: Command) => {
      const { json } = commonOptions(command);
      const environment = environmentNow();
      const signer = await findSigner(environment);
      const key = publicKey ?? signer?.publicKey ?? null;
      const result =
        file === undefined ? await verifyDatabase(environment, signer, key) : await verifyExport(linesOf(file), key);
      print(json, result, () => verdictText(result, key));
      if (!result.ok) process.exitCode = exitCodes.failed;
    });
}

async function verifyDatabase(
  environment: Environment,
  signer: Signer | null,
  key: string | null,
): Promise<VerifyResult> {
  return withDatabase(environment, async ({ db }) => {
    if (signer === null && (await newestCheckpoint(db)) === null) {
      return { ok: false, defect: 'empty', firstBadSeq: null, detail: 'no checkpoint was ever signed here' };
    }
    return verifyExport(exportAudit(db, { format: 'jsonl', since: null, until: null, signer }), key);
  });
}

/** @param pinned the key that it must be signed with; null: any */
function verdictText(result: VerifyResult, pinned: string | null): string {
  if (!result.ok) {
    const where = result.firstBadSeq === null ? '' : ` First bad record: ${result.firstBadSeq}.`;
    const other = result.defect === 'bad-signature' && pinned !== null;
    const key = other ? ` The key at hand is ${pinned}; --public-key names another one that you trust.` : '';
    return `NOT intact (${result.defect}): ${result.detail}.${where}${key}`;
  }
  const { from, to } = result.range;
  const part = from <= 1 && to === result.treeSize ? 'the whole log' : `records ${from} to ${to} of ${result.treeSize}`;
  const erased = result.erased === 0 ? '' : ` ${result.erased} had their personal data erased.`;
  const key =
    pinned !== null
      ? ''
      : ` Signed by the key that the file names, ${result.publicKey}: compare it with the one you trust.`;
  return `Intact: ${result.records} records, ${part}, signed checkpoint at ${result.treeSize}.${erased}${key}`;
}

/** From the environment, or what `sendoff up` made in the data folder; null when there is none at hand. */
async function findSigner(environment: Environment): Promise<Signer | null> {
  if (environment.signingKey !== null) return loadSigningKey(environment.signingKey);
  if (environment.databaseUrl !== null) return null;
  const pem = await readFile(join(environment.dataDir, 'signing-key.pem'), 'utf8').catch(() => null);
  return pem === null ? null : loadSigningKey(pem);
}

function linesOf(file: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
}

async function toStdout(chunk: string): Promise<void> {
  if (!process.stdout.write(chunk)) await new Promise((resolve) => process.stdout.once('drain', resolve));
}

function instant(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError('a time such as 2026-11-24T00:00:00Z');
  return time;
}
