import { createReadStream } from 'node:fs';
import { type Command, Option } from 'commander';
import type { ExportFormat } from '#shared/audit/export.js';
import { type VerifyResult, verifyExport } from '#shared/audit/verify.js';
import { SendoffError } from '#shared/errors.js';
import { linesOf } from './lines.js';
import { instant } from './listing.js';
import { addOperatorOption } from './operator.js';
import { exitCodes, print } from './output.js';
import { progressBar } from './progress.js';
import type { Audit } from './reach/audit.js';
import { commonOptions, environmentNow, withSendoff } from './session.js';
import { findSigner } from './signer.js';

const reach = () => import('./reach/audit.js');

interface ExportFlags {
  format: ExportFormat;
  since?: Date;
  until?: Date;
}

export function addAudit(program: Command): void {
  const audit = program.command('audit').description('the evidence: what was decided and done, for whom, and why');

  addOperatorOption(audit.command('export'))
    .description('write the audit trail to stdout; JSONL ends with a signed checkpoint and can be verified')
    .addOption(new Option('--format <format>').choices(['jsonl', 'csv', 'ocsf']).default('jsonl'))
    .option('--since <time>', 'from this time on (RFC 3339)', instant)
    .option('--until <time>', 'up to this time (RFC 3339)', instant)
    .addHelpText('after', '\nExample:\n  sendoff audit export --since 2026-10-01T00:00:00Z > audit.jsonl')
    .action(async ({ format, since, until }: ExportFlags, command: Command) => {
      await withSendoff(command, reach, async (trail) => {
        const pieces = trail.export({ format, since: since ?? null, until: until ?? null });
        for await (const piece of pieces) await toStdout(piece);
      });
    });

  audit
    .command('verify')
    .description(
      'is the trail whole and untouched? Of an export, offline; without --file, of the Sendoff that is asked',
    )
    .option('--file <file>', 'an export in JSONL')
    .option('--public-key <base64>', 'the key it must be signed with (otherwise the one at hand, or the one it names)')
    .addHelpText('after', '\nExample:\n  sendoff audit verify --file audit.jsonl')
    .action(async ({ file, publicKey }: { file?: string; publicKey?: string }, command: Command) => {
      const { json } = commonOptions(command);
      const { result, key } =
        file === undefined
          ? await withSendoff(command, reach, (trail) => verifyTrail(trail, publicKey ?? null, !json))
          : await verifyFile(file, publicKey ?? null);
      print(json, result, () => verdictText(result, key));
      if (!result.ok) process.exitCode = exitCodes.failed;
    });
}

interface Verified {
  result: VerifyResult;
  /** The key that it must be signed with; null: any. */
  key: string | null;
}

async function verifyFile(file: string, publicKey: string | null): Promise<Verified> {
  const key = publicKey ?? (await findSigner(environmentNow()))?.publicKey ?? null;
  return { result: await verifyExport(linesOf(createReadStream(file, 'utf8')), key), key };
}

/** Checked here, from the bytes: whoever keeps the trail is not asked whether it is intact. */
async function verifyTrail(trail: Audit, publicKey: string | null, withBar: boolean): Promise<Verified> {
  const key = publicKey ?? (await trail.publicKey());
  const size = await trail.size();
  const bar = progressBar('records verified', withBar);
  const result = await verifyExport(
    counted(linesOf(trail.read()), (done) => bar.update(Math.min(done, size), size)),
    key,
  )
    .catch((error: unknown) => {
      if (!(error instanceof SendoffError && error.code === 'SIGNING_KEY_MISSING')) throw error;
      return {
        ok: false as const,
        defect: 'empty' as const,
        firstBadSeq: null,
        detail: 'no checkpoint was ever signed',
      };
    })
    .finally(bar.end);
  return { result, key };
}

async function* counted(lines: AsyncIterable<string>, tell: (done: number) => void): AsyncGenerator<string> {
  let done = 0;
  for await (const line of lines) {
    yield line;
    done += 1;
    tell(done);
  }
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

async function toStdout(piece: string): Promise<void> {
  if (!process.stdout.write(piece)) await new Promise((resolve) => process.stdout.once('drain', resolve));
}
