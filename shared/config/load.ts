import { isMap, isScalar, isSeq, type Node, type Pair, visit } from 'yaml';
import { scrubber } from '#shared/telemetry/redact.js';
import { ConfigError, oneLine } from './config-error.js';
import type { Finding } from './finding.js';
import { findingsOf } from './issue-problems.js';
import { noticesFor } from './notices.js';
import { readConfigFile } from './read-file.js';
import { relationFindings } from './relations.js';
import { type Config, configSchema } from './schema.js';
import { secretValuesIn } from './secret-keys.js';
import { substitute } from './substitute.js';
import { type Problem, parseYaml, type YamlFile } from './yaml-file.js';

export { ConfigError } from './config-error.js';

export interface LoadedConfig {
  config: Config;
  path: string;
  /** Values that must never be shown: everything in a secret field, and what came from the environment. */
  secrets: string[];
  /** What the file asks for and this version does not carry out, and what it had better not ask for. One line each. */
  notices: string[];
}

/**
 * Reads sendoff.yaml (or SENDOFF_CONFIG, or `path`), puts in `${NAME}` from the environment and validates.
 * @throws ConfigError with every mistake found, in the order of the file
 */
export function loadConfig({ path, env }: { path?: string | undefined; env: NodeJS.ProcessEnv }): LoadedConfig {
  const name = path ?? (env.SENDOFF_CONFIG || 'sendoff.yaml');
  const file = parseYaml(readConfigFile(name), name);
  const substituted = substitute(file, env);
  const scrub = scrubber(substituted.values);
  const refusal = (problems: Problem[]) =>
    file.error(problems.map(({ offset, text }) => ({ offset, text: scrub(text) })));
  const odd = oddKeys(file.root);
  if (odd.length > 0) throw refusal([...odd, ...substituted.problems]);
  const raw = file.toData();
  const result = configSchema.safeParse(raw);
  const findings = [
    ...(result.success ? [] : result.error.issues.flatMap((issue) => findingsOf(issue, raw))),
    ...relationFindings(raw, env.SENDOFF_ENV === 'test'),
  ];
  const problems = [...substituted.problems, ...located(findings, file, substituted.failed)];
  if (problems.length > 0) throw refusal(problems);
  if (!result.success) throw new ConfigError([`${name}:1:1 is not valid (sendoff.example.yaml shows every key)`]);
  const config = result.data;
  return {
    config,
    path: name,
    secrets: [...new Set([...substituted.values, ...secretValuesIn(config)])],
    notices: noticesFor(config).map(oneLine),
  };
}

/** Mistakes with their places. What could not be filled from the environment has been reported as that. */
function located(findings: readonly Finding[], file: YamlFile, failed: ReadonlySet<Node>): Problem[] {
  return findings.flatMap(({ path, text, isKey }) => {
    const { node, offset } = file.find(path);
    if (isKey !== true && node != null && holds(node, failed)) return [];
    return [{ offset, text: path.length === 0 ? text : `${path.join('.')}: ${text}` }];
  });
}

function holds(node: Node, failed: ReadonlySet<Node>): boolean {
  if (failed.size === 0 || !(isScalar(node) || isSeq(node))) return false;
  return failed.has(node) || (isSeq(node) && node.items.some((item) => failed.has(item as Node)));
}

/** Keys that plain data would lose or change: `{a: b}: c`, `null:`, `0x10:`, `__proto__:`. */
function oddKeys(root: Node | null): Problem[] {
  const problems: Problem[] = [];
  if (root === null) return problems;
  visit(root, {
    Pair(_index, { key }: Pair) {
      const isPlain = isScalar(key) && (typeof key.value === 'string' || String(key.value) === key.source);
      if (isPlain && key.value !== null && key.value !== '__proto__') return;
      const at = isScalar(key) || isMap(key) || isSeq(key) ? key.range?.[0] : undefined;
      problems.push({ offset: at ?? 0, text: 'YAML: this can be no key (write a plain name before the colon)' });
    },
  });
  return problems;
}
